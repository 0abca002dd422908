import { useId, useState } from "react";
import type { ReactElement } from "react";
import { useAuthor } from "../author.js";
import { Avatar } from "./avatar.js";

/** Who writes. Taken over when the field is left or Enter is pressed, so that no half name is used. */
export function NameField(): ReactElement {
  const id = useId();
  const [author, setAuthor] = useAuthor();
  const [draft, setDraft] = useState<string>();

  function commit(): void {
    const name = draft?.trim();
    if (name) setAuthor(name);
    setDraft(undefined);
  }

  return (
    <form
      className="name-field"
      onSubmit={(event) => {
        event.preventDefault();
        commit();
      }}
    >
      <Avatar name={author} />
      <div>
        <label htmlFor={id}>Your name</label>
        <input
          id={id}
          value={draft ?? author}
          maxLength={40}
          autoComplete="nickname"
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
          onBlur={commit}
        />
      </div>
    </form>
  );
}
