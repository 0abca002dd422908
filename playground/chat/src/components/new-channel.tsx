import { useRef, useState } from "react";
import type { ReactElement } from "react";
import { ChannelForm } from "./channel-form.js";

/** A button that becomes the form for a channel, and the other way round. */
export function NewChannel(): ReactElement {
  const [isOpen, setIsOpen] = useState(false);
  const shouldFocus = useRef(false);
  const close = (): void => {
    shouldFocus.current = true;
    setIsOpen(false);
  };
  if (isOpen) return <ChannelForm onCancel={close} onCreated={() => setIsOpen(false)} />;
  return (
    <button type="button" className="link add" autoFocus={shouldFocus.current} onClick={() => setIsOpen(true)}>
      <span className="hash" aria-hidden="true">
        +
      </span>
      New channel
    </button>
  );
}
