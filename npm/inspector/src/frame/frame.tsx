import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { announced } from "../store/announcer.ts";
import { isHelpOpen, isMenuOpen } from "../store/dialogs.ts";
import { route } from "../store/location.ts";
import { ConfirmDialog } from "../ui/confirm-dialog.tsx";
import { HelpDialog } from "./help-dialog.tsx";
import { followKeys } from "./keys.ts";
import { Sidebar } from "./sidebar.tsx";
import { TopBar } from "./top-bar.tsx";
import { View } from "./view.tsx";

/** Menu, bar and view. */
export function Frame(): JSX.Element {
  const main = useRef<HTMLElement>(null);
  const { view, parts } = route.value;
  const place = [view, ...parts].join("/");
  useEffect(followKeys, []);
  const before = useRef(view);
  useEffect(() => {
    isMenuOpen.value = false;
    // A new view begins at its top, also for who has the keyboard alone; within one the focus stays where it can.
    const isOther = before.current !== view;
    before.current = view;
    if (isOther || document.activeElement === document.body) main.current?.focus({ preventScroll: true });
  }, [place]);
  return (
    <div class="app" data-menu={isMenuOpen.value ? "open" : "closed"}>
      <a class="skip-link" href="#main">
        Skip to the view
      </a>
      <Sidebar />
      <div class="stage">
        <TopBar />
        <main id="main" ref={main} tabIndex={-1} key={view}>
          <View />
        </main>
      </div>
      <p class="visually-hidden" aria-live="polite">
        {announced.value}
      </p>
      {isHelpOpen.value && <HelpDialog />}
      <ConfirmDialog />
    </div>
  );
}
