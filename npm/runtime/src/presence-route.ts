import { LunoraError } from "@lunora/errors";
import { checkRoom, CLOSE_CODES, encodeValue, HEADERS, PATHS, SUBPROTOCOL } from "@lunora/protocol";
import { isRegisteredPresence } from "@lunora/server";
import type { Identity, LunoraDefinition, RegisteredPresence } from "@lunora/server";

import { callObject } from "./call-object.ts";
import { resolveIdentity } from "./identity.ts";
import { reachObject } from "./reach-object.ts";
import { failureOf } from "./responses.ts";
import type { Route, RouteScope } from "./route.ts";
import { BINDINGS } from "./shard-protocol.ts";
import { asciiJson, assertOrigin, offered, refusedSocket, socketToken } from "./socket-upgrade.ts";
import type { SocketMethods } from "./socket-upgrade.ts";

/** Names the kind of room that an upgrade is meant for, percent-encoded. Set by the Worker only. */
export const PRESENCE_HEADER = "x-lunora-presence";

/** The kind of room of this path; throws `NOT_FOUND`. */
async function presenceOf({ presence = {} }: LunoraDefinition, path: string): Promise<RegisteredPresence> {
  const entry = Object.hasOwn(presence, path) ? presence[path] : undefined;
  if (entry === undefined) throw new LunoraError("NOT_FOUND", `there are no rooms \`${path.slice(0, 256)}\``);
  const registered = (await entry.module())[entry.exportName];
  if (!isRegisteredPresence(registered))
    throw new Error(`\`${path}\` is not the kind of room that the generated registry says: run codegen again`);
  return registered;
}

/** The name of the object that a room is: different ones for different pairs, since a room's name is encoded. */
function objectOf(path: string, room: string): string {
  return `${path}/${encodeURIComponent(room)}`;
}

/** Takes an upgrade to its room, once the app's rule has allowed it. */
async function handle({ request, env, definition, now, timers }: RouteScope): Promise<Response> {
  const { app, schema } = definition;
  if (request.headers.get("upgrade")?.toLowerCase() !== "websocket")
    throw new LunoraError("UPGRADE_REQUIRED", "this path speaks WebSocket");
  assertOrigin(app, request);
  const { searchParams } = new URL(request.url);
  const path = searchParams.get("path") ?? "";
  const room = checkRoom(searchParams.get("room"));
  const { authorize } = await presenceOf(definition, path);
  let identity: Identity | null;
  try {
    identity = await resolveIdentity(app, request, env, socketToken(request));
    if (typeof identity?.expiresAt === "number" && identity.expiresAt <= now())
      throw new LunoraError("TOKEN_EXPIRED", "the token has expired");
    // Without a rule nobody may.
    if ((await authorize?.({ identity, room, env })) !== true)
      throw new LunoraError("FORBIDDEN", `the caller may not be in this room of \`${path}\``, {
        hint: "Allow it in `authorize` of its `definePresence`.",
      });
  } catch (error) {
    const { status, body } = failureOf(error, "a socket of a room");
    // What is our fault is no verdict on the caller, who may try again.
    if (status >= 500) throw error;
    return body.error.code === "FORBIDDEN"
      ? refusedSocket(request, body.error, CLOSE_CODES.forbidden)
      : refusedSocket(request, body.error);
  }
  const headers = new Headers({ upgrade: "websocket", [PRESENCE_HEADER]: encodeURIComponent(path) });
  headers.set(HEADERS.identity, asciiJson(encodeValue(identity)));
  if (offered(request).includes(SUBPROTOCOL)) headers.set("sec-websocket-protocol", SUBPROTOCOL);
  return callObject(
    () => reachObject<SocketMethods>(schema, env, BINDINGS.session, objectOf(path, room)),
    (object) => object.fetch(new Request("https://room/", { headers })),
    true,
    timers,
  );
}

/** The route of rooms, for `createWorker`. */
export function presenceRoutes(): readonly Route[] {
  return [{ path: PATHS.presence, methods: ["GET"], handle }];
}
