import type { JSX } from "preact";

export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="var(--accent)" />
      <path d="M21.5 20.6A8.4 8.4 0 0 1 12.2 9a8.4 8.4 0 1 0 9.3 11.6Z" fill="var(--on-accent)" />
    </svg>
  );
}
