import type { ReactElement } from "react";

/** Lets the keyboard pass the sidebar. Not a navigation, so the address stays as it is. */
export function SkipLink(): ReactElement {
  return (
    <a
      className="skip-link"
      href="#content"
      onClick={(event) => {
        event.preventDefault();
        document.getElementById("content")?.focus();
      }}
    >
      Skip to content
    </a>
  );
}
