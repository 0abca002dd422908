import { LunoraError } from "@lunora/errors";
import type { ErrorBody } from "@lunora/errors";

import { ANYTHING, check, NAME, OBJECT, readFrame } from "./parse-frame.ts";
import type { FrameChecks } from "./parse-frame.ts";

/** Longest data of a member, bytes of wire JSON. */
export const PRESENCE_BYTES = 4_096;

/** Most members of a room. */
export const ROOM_MEMBERS = 500;

/** Updates that a member may send at once, and how many it earns each second. */
export const UPDATE_BURST = 20;
export const UPDATES_PER_SECOND = 20;

/** Somebody in a room. */
export interface PresenceMember {
  /** Unique in the room; another one each time that somebody comes. */
  readonly memberId: string;
  readonly userId: string | null;
  /** Wire-encoded. */
  readonly data: unknown;
  /** Epoch milliseconds. */
  readonly joinedAt: number;
}

/** What a page sends on the socket of a room. */
export type PresenceClientFrame =
  | {
      /** First and once. */
      readonly type: "join";
      readonly id: string;
      /** Wire-encoded. */
      readonly data: unknown;
      /** Who it was before the connection broke, and the proof of it. */
      readonly resume?: { readonly memberId: string; readonly key: string };
    }
  | { readonly type: "update"; readonly id: string; readonly data: unknown }
  /** Gone for good: nobody waits for it to come back. */
  | { readonly type: "leave" };

/** What a room sends to its members. */
export type PresenceServerFrame =
  | {
      readonly type: "joined";
      readonly id: string;
      readonly memberId: string;
      /** Proves to be the member when the connection has broken; told to nobody else. */
      readonly key: string;
      /** All of the room, the new one among them. */
      readonly members: readonly PresenceMember[];
    }
  | {
      readonly type: "presence";
      readonly joined?: readonly PresenceMember[];
      readonly updated?: readonly Pick<PresenceMember, "memberId" | "data">[];
      readonly left?: readonly string[];
    }
  | { readonly type: "error"; readonly id?: string; readonly error: ErrorBody };

const CHECKS: FrameChecks<PresenceClientFrame["type"]> = {
  join: (frame) => {
    check(frame, "join", { id: NAME, data: ANYTHING }, { resume: OBJECT });
    if (frame["resume"] !== undefined) check(frame["resume"], "join.resume", { memberId: NAME, key: NAME });
  },
  update: (frame) => check(frame, "update", { id: NAME, data: ANYTHING }),
  leave: () => {},
};

/** Reads a frame of a page in a room. Throws `FRAME_MALFORMED`, and `WIRE_TOO_DEEP`. */
export function parsePresenceFrame(text: string): PresenceClientFrame {
  return readFrame(text, CHECKS) as unknown as PresenceClientFrame;
}

/** A room's name, when it can be one. Throws `BAD_REQUEST`. */
export function checkRoom(room: unknown): string {
  if (NAME.accepts(room)) return room as string;
  throw new LunoraError("BAD_REQUEST", `a room's name has to be ${NAME.wanted}`);
}
