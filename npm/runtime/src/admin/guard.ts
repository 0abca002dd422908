import { LunoraError } from "@lunora/errors";
import type { Environment } from "@lunora/server";

import { bearerToken } from "../identity.ts";

/** Where the token of the admin routes stands in the environment. */
export const ADMIN_TOKEN = "LUNORA_ADMIN_TOKEN";

/** Shortest token, characters. */
const TOKEN_LENGTH = 16;

const encoder = new TextEncoder();

/** Environments whose token was found too short: said once for each. */
const complained = new WeakSet<Environment>();

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** Whether two texts are equal, in a time that tells neither where they differ nor how long they are. */
export async function equalInConstantTime(one: string, other: string): Promise<boolean> {
  const [left, right] = await Promise.all([digest(one), digest(other)]);
  let difference = 0;
  for (let index = 0; index < left.length; index += 1) difference |= (left[index] as number) ^ (right[index] as number);
  return difference === 0;
}

/** The token that admin routes take; `undefined` while there are none. */
function adminToken(env: Environment): string | undefined {
  const token = env[ADMIN_TOKEN];
  if (typeof token !== "string" || token === "") return undefined;
  if (token.length >= TOKEN_LENGTH) return token;
  if (!complained.has(env)) {
    complained.add(env);
    console.error(
      `[lunora] \`${ADMIN_TOKEN}\` has fewer than ${TOKEN_LENGTH} characters: the admin routes stay off. Set a longer one.`,
    );
  }
  return undefined;
}

/**
 * Lets an admin through. Without a token in the environment the path does not exist: the same answer as for any other
 * name. Only a bearer counts: no cookie and no query, which a page or a log could carry along.
 *
 * @throws LunoraError `NOT_FOUND` where admin routes are off, `UNAUTHORIZED` for a token that is missing or another.
 */
export async function guardAdmin(request: Request, env: Environment): Promise<void> {
  const expected = adminToken(env);
  if (expected === undefined)
    throw new LunoraError("NOT_FOUND", `there is nothing at \`${new URL(request.url).pathname}\``);
  const given = bearerToken(request);
  if (given !== undefined && (await equalInConstantTime(given, expected))) return;
  throw new LunoraError(
    "UNAUTHORIZED",
    given === undefined ? "the admin routes need a bearer token" : "the bearer token is not that of the admin routes",
    { hint: `Send \`authorization: Bearer …\` with the worker's \`${ADMIN_TOKEN}\`.` },
  );
}
