import { useState } from "react";
import type { ReactElement } from "react";
import type { Doc } from "../../lunora/_generated/dataModel.js";

interface AnnouncerProps {
  readonly messages: readonly Doc<"messages">[];
  readonly author: string;
}

/** Reads out what others write from now on. Apart from the list, so that buttons and edits stay silent. */
export function Announcer({ messages, author }: AnnouncerProps): ReactElement {
  const [openedAt] = useState(() => messages.at(-1)?._creationTime ?? 0);
  const news = messages.filter((message) => message._creationTime > openedAt && message.author !== author);
  return (
    <div className="visually-hidden" role="log" aria-live="polite" aria-relevant="additions" aria-label="New messages">
      {news.map((message) => (
        <p key={message._id}>
          {message.author}: {message.body}
        </p>
      ))}
    </div>
  );
}
