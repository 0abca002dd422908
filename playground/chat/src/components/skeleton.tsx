import type { ReactElement } from "react";

interface SkeletonProps {
  readonly label: string;
  readonly rows: number;
}

/** The outline of what is being loaded. */
export function Skeleton({ label, rows }: SkeletonProps): ReactElement {
  return (
    <div className="skeleton" role="status">
      <span className="visually-hidden">{label}…</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} className="skeleton-row" style={{ inlineSize: `${85 - ((row * 23) % 40)}%` }} />
      ))}
    </div>
  );
}
