/** Where the rows of an app with this declaration are stored, as people read it. */
export function whereBytesAre(jurisdiction: string | null): string {
  // Only a development server has `hot`; `import.meta.env.DEV` goes by NODE_ENV, which a shell may have set.
  if (import.meta.hot) return `.lunora/state/${jurisdiction ?? "none"}/do, on this machine`;
  return jurisdiction === null
    ? "wherever the platform put the objects"
    : `in the jurisdiction ${jurisdiction}, which the platform keeps`;
}
