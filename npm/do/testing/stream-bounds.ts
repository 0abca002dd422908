/** Limits of the app `bounded-streams`: chunks of one run, bytes of all, milliseconds that a run goes on for nobody. */
export const BOUNDS: { readonly chunks: number; readonly keptBytes: number; readonly unheardMs: number } = {
  chunks: 100,
  keptBytes: 200_000,
  unheardMs: 300,
};
