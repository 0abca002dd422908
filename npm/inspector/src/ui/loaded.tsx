import type { ComponentChildren, JSX } from "preact";
import type { Refusal } from "../api/refusal.ts";
import type { Resource } from "../store/use-resource.ts";

/** Where something will be. */
export function Skeleton({ rows = 5 }: { readonly rows?: number }): JSX.Element {
  return (
    <div class="skeleton" aria-busy="true" aria-label="Loading" role="status">
      {Array.from({ length: rows }, (_, index) => (
        <span key={index} class="bone" />
      ))}
    </div>
  );
}

/** Why something is not there, and what to do. */
export function RefusalNotice({
  refusal,
  onRetry,
}: {
  readonly refusal: Refusal;
  readonly onRetry?: (() => void) | undefined;
}): JSX.Element {
  return (
    <div class="notice" role="alert">
      <p>
        <strong class="code">{refusal.code}</strong> {refusal.message}
      </p>
      {refusal.hint !== undefined && <p class="hint">{refusal.hint}</p>}
      {onRetry !== undefined && (
        <p>
          <button type="button" class="button small" onClick={onRetry}>
            Try again
          </button>
        </p>
      )}
    </div>
  );
}

interface Props<Value> {
  readonly of: Resource<Value>;
  readonly rows?: number;
  readonly children: (value: Value) => ComponentChildren;
}

/** What was asked for, its skeleton until it is there, or why it is not. */
export function Loaded<Value>({ of, rows = 5, children }: Props<Value>): JSX.Element {
  if (of.value !== undefined) return <>{children(of.value)}</>;
  if (of.refusal !== undefined) return <RefusalNotice refusal={of.refusal} onRetry={of.reload} />;
  return <Skeleton rows={rows} />;
}
