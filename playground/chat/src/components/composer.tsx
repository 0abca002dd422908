import { useEffect, useId, useImperativeHandle, useRef, useState } from "react";
import type { FormEvent, KeyboardEvent, ReactElement, Ref } from "react";
import { isSubmitKey, isTypingPlace } from "../keys.js";

interface ComposerProps {
  readonly channelName: string;
  readonly onSend: (body: string) => void;
  /** The text was changed: something is in it, or nothing any more. */
  readonly onTyping: (isTyping: boolean) => void;
  readonly ref: Ref<HTMLTextAreaElement | null>;
}

/** Where messages are written. `/` leads here from anywhere. */
export function Composer({ channelName, onSend, onTyping, ref }: ComposerProps): ReactElement {
  const id = useId();
  const field = useRef<HTMLTextAreaElement>(null);
  const [body, setBody] = useState("");
  useImperativeHandle<HTMLTextAreaElement | null, HTMLTextAreaElement | null>(ref, () => field.current);

  useEffect(() => {
    const focusOnSlash = (event: globalThis.KeyboardEvent): void => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTypingPlace(event.target)) return;
      event.preventDefault();
      field.current?.focus();
    };
    addEventListener("keydown", focusOnSlash);
    return () => removeEventListener("keydown", focusOnSlash);
  }, []);

  function send(event: FormEvent | KeyboardEvent): void {
    event.preventDefault();
    if (body.trim() === "") return;
    onSend(body.trim());
    setBody("");
    field.current?.focus();
  }

  return (
    <form className="composer" onSubmit={send}>
      <label className="visually-hidden" htmlFor={id}>
        Message to {channelName}
      </label>
      <textarea
        id={id}
        ref={field}
        rows={1}
        value={body}
        maxLength={4000}
        placeholder="Write a message"
        aria-describedby={`${id}-keys`}
        aria-keyshortcuts="/"
        onChange={(event) => {
          setBody(event.target.value);
          onTyping(event.target.value.trim() !== "");
        }}
        onKeyDown={(event) => {
          if (isSubmitKey(event)) send(event);
        }}
      />
      <button type="submit" className="button primary" aria-disabled={body.trim() === ""}>
        Send
      </button>
      <p className="hint" id={`${id}-keys`}>
        <kbd>Enter</kbd> sends, <kbd>Shift</kbd> <kbd>Enter</kbd> makes a new line, <kbd>/</kbd> comes back here.
      </p>
    </form>
  );
}
