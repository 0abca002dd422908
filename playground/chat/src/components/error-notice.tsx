import { isLunoraError } from "lunorash/client";
import { helpOf } from "lunorash/errors/help";
import type { ReactElement, ReactNode } from "react";

interface ErrorNoticeProps {
  readonly error: unknown;
  readonly onRetry?: () => unknown;
  readonly children?: ReactNode;
}

/** What went wrong, under which code, and what helps. */
export function ErrorNotice({ error, onRetry, children }: ErrorNoticeProps): ReactElement {
  const code = isLunoraError(error) ? error.code : "UNEXPECTED";
  const message = error instanceof Error ? error.message : String(error);
  const hint = isLunoraError(error) ? (error.hint ?? helpOf(error.code)) : undefined;
  return (
    <div className="notice" role="alert">
      <p>
        <code className="code">{code}</code>
      </p>
      <p>{withCode(message)}</p>
      {hint !== undefined && <p className="hint">{withCode(hint)}</p>}
      {(onRetry !== undefined || children !== undefined) && (
        <div className="actions">
          {onRetry !== undefined && (
            <button type="button" className="button" onClick={onRetry}>
              Try again
            </button>
          )}
          {children}
        </div>
      )}
    </div>
  );
}

/** Texts of errors put what they quote in backticks. */
function withCode(text: string): ReactNode {
  return text.split("`").map((part, position) => (position % 2 === 1 ? <code key={position}>{part}</code> : part));
}
