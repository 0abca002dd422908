import type { ReactElement } from "react";
import { Avatar } from "./avatar.js";

interface CompanyProps {
  /** Others who have the channel open, each name once. */
  readonly present: readonly string[];
  /** Those of them who write. */
  readonly typing: readonly string[];
}

const NAMES = new Intl.ListFormat("en", { type: "conjunction" });
/** More are counted. */
const MOST_NAMES = 3;

/** Who else is here, and who is about to say something. Only the latter is read out: people come and go. */
export function Company({ present, typing }: CompanyProps): ReactElement {
  return (
    <div className="company">
      <div className="present" role="group" aria-label="Here now">
        {present.length === 0 ? (
          <span className="clipped">Nobody else is here</span>
        ) : (
          <>
            <span className="faces" aria-hidden="true">
              {present.slice(0, MOST_NAMES).map((name) => (
                <Avatar key={name} name={name} />
              ))}
            </span>
            <span className="clipped">{listed(present)}</span>
          </>
        )}
      </div>
      <p className="typing" role="status">
        {typing.length > 0 && (
          <>
            <span className="clipped">{listed(typing)}</span>
            <span>{typing.length === 1 ? " is typing…" : " are typing…"}</span>
          </>
        )}
      </p>
    </div>
  );
}

function listed(names: readonly string[]): string {
  const others = names.length - MOST_NAMES;
  if (others <= 0) return NAMES.format(names);
  return NAMES.format([...names.slice(0, MOST_NAMES), others === 1 ? "one more" : `${others} more`]);
}
