/**
 * Gives a port on which nobody listens, and that nobody is handed out who asks for any; none twice, before all were given.
 * `first`: 20,000 to 32,767.
 */
export function portsFrom(first: number): () => Promise<number>;

/** The same, from a port that is drawn by lot for this process. */
export function freePort(): Promise<number>;
