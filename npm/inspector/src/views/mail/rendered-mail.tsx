import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { MailDetail } from "../../api/mail.ts";
import { Select } from "../../ui/select.tsx";

/**
 * The mail as its reader sees it. The server has made the page safe and gives it a policy of its own, and the frame may
 * run nothing and is of no origin: two walls, of which one would do. It is loaded by an address with a ticket for it
 * alone, since a frame sends no token, and a `srcdoc` would have this page's policy, which refuses a mail's styles.
 */
export function RenderedMail({ mail }: { readonly mail: MailDetail }): JSX.Element {
  const [width, setWidth] = useState("full");
  const [scheme, setScheme] = useState("light");
  const [isRemote, setRemote] = useState(false);
  if (typeof mail.frame !== "string" || mail.html === null || mail.html === undefined) {
    return <p class="hint">The mail has no HTML part; its text is in the next tab.</p>;
  }
  const separator = mail.frame.includes("?") ? "&" : "?";
  return (
    <>
      <div class="actions">
        <Select
          label="Width"
          value={width}
          options={[
            ["full", "Full width"],
            ["600", "600 px, desktop"],
            ["375", "375 px, phone"],
            ["320", "320 px, small phone"],
          ]}
          onChange={setWidth}
        />
        <Select
          label="Scheme"
          value={scheme}
          options={[
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
          onChange={setScheme}
        />
        <label class="check">
          <input type="checkbox" checked={isRemote} onChange={(event) => setRemote(event.currentTarget.checked)} /> Load
          remote images
        </label>
      </div>
      <iframe
        key={`${isRemote}`}
        class="mail-frame"
        data-width={width}
        data-scheme={scheme}
        title={`The mail ${mail.subject}`}
        sandbox=""
        referrerpolicy="no-referrer"
        src={isRemote ? `${mail.frame}${separator}remote=1` : mail.frame}
      />
    </>
  );
}
