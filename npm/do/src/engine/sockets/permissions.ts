import type { Identity } from "@lunora/server";

import type { SocketConnection } from "./socket-connection.ts";

/** Permissions remembered for one socket. */
const PERMISSIONS = 2_000;

/** Asks the app's rule once for each socket and path; `ask` throws `FORBIDDEN_SHARD`. */
export function authorizeOnce(
  connection: SocketConnection,
  path: string,
  ask: (identity: Identity | null, path: string) => Promise<void>,
): Promise<void> {
  const known = connection.permissions.get(path);
  if (known !== undefined) return known;
  if (connection.permissions.size >= PERMISSIONS) {
    connection.permissions.clear();
    connection.permitted.clear();
  }
  const answer = ask(connection.identity, path);
  connection.permissions.set(path, answer);
  answer.then(
    () => connection.permitted.add(path),
    // Whoever asked is told; a refusal is asked about again.
    () => connection.permissions.delete(path),
  );
  return answer;
}
