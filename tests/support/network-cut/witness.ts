/** Tells what was tried to reach outside of this machine. */
export interface Witness {
  /** Everything since the beginning, a text each. */
  attempts(): readonly string[];
  close(): void;
}
