/** Where the rows of an app with this declaration are stored, as people read it. */
export function whereBytesAre(jurisdiction: string | null): string {
  if (import.meta.env.DEV) return `.lunora/state/${jurisdiction ?? "none"}/do, on this machine`;
  return jurisdiction === null
    ? "wherever the platform put the objects"
    : `in the jurisdiction ${jurisdiction}, which the platform keeps`;
}
