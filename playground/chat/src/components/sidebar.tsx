import type { QueryResult } from "lunorash/react";
import { useEffect, useRef, useState } from "react";
import type { ReactElement } from "react";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { ChannelList } from "./channel-list.js";
import { ConnectionState } from "./connection-state.js";
import { Link } from "./link.js";
import { Logo } from "./logo.js";
import { NameField } from "./name-field.js";
import { NewChannel } from "./new-channel.js";

interface SidebarProps {
  readonly channels: QueryResult<readonly Doc<"channels">[]>;
  readonly path: string;
}

/** The way around. On narrow screens a bar whose menu opens over the page. */
export function Sidebar({ channels, path }: SidebarProps): ReactElement {
  const [openedOn, setOpenedOn] = useState<string>();
  const menuButton = useRef<HTMLButtonElement>(null);
  // Going anywhere closes the menu.
  const isOpen = openedOn === path;
  const close = (): void => setOpenedOn(undefined);

  useEffect(() => {
    if (!isOpen) return;
    const closeOnEscape = (event: KeyboardEvent): void => {
      if (event.key !== "Escape") return;
      close();
      menuButton.current?.focus();
    };
    addEventListener("keydown", closeOnEscape);
    return () => removeEventListener("keydown", closeOnEscape);
  }, [isOpen]);

  return (
    <header className="sidebar" data-open={isOpen}>
      <div className="bar">
        <Link className="brand" href="/">
          <Logo />
          Lunora chat
        </Link>
        <ConnectionState />
        <button
          ref={menuButton}
          type="button"
          className="button menu-button"
          aria-expanded={isOpen}
          aria-controls="menu"
          onClick={() => setOpenedOn(isOpen ? undefined : path)}
        >
          Menu
        </button>
      </div>
      <div className="scrim" onClick={close} />
      <div className="menu" id="menu">
        <nav aria-label="Channels">
          <ChannelList channels={channels} path={path} />
          <NewChannel />
        </nav>
        <nav aria-label="Pages">
          <ul className="links">
            <li>
              <Link className="link" href="/latest" aria-current={path === "/latest" ? "page" : undefined}>
                Latest messages
              </Link>
            </li>
            <li>
              <Link className="link" href="/about" aria-current={path === "/about" ? "page" : undefined}>
                About this app
              </Link>
            </li>
          </ul>
        </nav>
        <NameField />
      </div>
    </header>
  );
}
