import type { JSX } from "preact";
import { VIEWS } from "../logic/route.ts";
import { isHelpOpen } from "../store/dialogs.ts";
import { route } from "../store/location.ts";
import { status } from "../store/status.ts";
import { nextTheme, theme } from "../store/theme.ts";
import { Icon } from "../ui/icon.tsx";
import { Logo } from "./logo.tsx";

/** Where one can go. */
export function Sidebar(): JSX.Element {
  const unread = status.value?.mail.unread ?? 0;
  return (
    <nav class="sidebar" aria-label="Views" id="menu">
      <a class="brand" href="/">
        <Logo /> Lunora
      </a>
      <ul class="links">
        {VIEWS.map((view) => (
          <li key={view.name}>
            <a
              class="link"
              href={view.path}
              aria-current={route.value.view === view.name ? "page" : undefined}
              aria-keyshortcuts={`g ${view.letter}`}
            >
              <Icon name={view.name} />
              <span>{view.title}</span>
              {view.name === "mail" && unread > 0 ? (
                <span class="count">{unread} new</span>
              ) : (
                <kbd aria-hidden="true">g {view.letter}</kbd>
              )}
            </a>
          </li>
        ))}
      </ul>
      <div class="sidebar-foot">
        <button type="button" class="button small" onClick={nextTheme}>
          Theme: {theme.value}
        </button>
        <button type="button" class="button small" onClick={() => (isHelpOpen.value = true)}>
          Keys <kbd>?</kbd>
        </button>
      </div>
    </nav>
  );
}
