import type { JSX } from "preact";
import { giveToken, wasRefused } from "../store/session.ts";
import { Logo } from "./logo.tsx";

/** Asks for the token of the run. */
export function TokenPage(): JSX.Element {
  return (
    <main class="token-page">
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          giveToken(String(new FormData(event.currentTarget).get("token")));
        }}
      >
        <Logo />
        <h1>Lunora inspector</h1>
        {wasRefused.value && (
          <p class="notice" role="alert">
            The server does not take this token. Each run of <code>vite dev</code> has a new one.
          </p>
        )}
        <p>
          Open the link that <code>vite dev</code> printed beside <code>Lunora:</code>, or paste it here.
        </p>
        <label for="token">Link or token</label>
        <input id="token" name="token" required autocomplete="off" spellcheck={false} />
        <button type="submit" class="button primary">
          Open
        </button>
      </form>
    </main>
  );
}
