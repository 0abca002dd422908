import type { ReactElement, ReactNode } from "react";
import { fullTime, timeOfDay } from "../times.js";
import { Avatar } from "./avatar.js";

interface MessageLineProps {
  readonly author: string;
  readonly time: number;
  /** Follows a message of the same author closely: who and when need not be shown again. */
  readonly isContinued: boolean;
  readonly isFaint: boolean;
  readonly id: string;
  readonly children: ReactNode;
}

/** How a message is laid out. */
export function MessageLine({ author, time, isContinued, isFaint, id, children }: MessageLineProps): ReactElement {
  return (
    <li className="message" data-id={id} data-continued={isContinued} data-faint={isFaint}>
      {!isContinued && <Avatar name={author} />}
      <div className="message-content">
        <p className={isContinued ? "visually-hidden" : "message-head"}>
          <strong className="clipped">{author}</strong>
          <time dateTime={new Date(time).toISOString()} title={fullTime(time)}>
            {timeOfDay(time)}
          </time>
        </p>
        {children}
      </div>
    </li>
  );
}
