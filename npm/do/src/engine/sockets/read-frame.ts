import { LunoraError } from "@lunora/errors";
import { FRAME_BYTES, parseFrame } from "@lunora/protocol";
import type { ClientFrame } from "@lunora/protocol";

import { isLonger } from "./pack-frames.ts";

/**
 * Reads a message of a client; `isConnected`: it has said who it is.
 *
 * @throws LunoraError `FRAME_MALFORMED`, `FRAME_TOO_LARGE`, `FRAME_OUT_OF_STATE`
 */
export function readFrame(data: string | ArrayBuffer, isConnected: boolean): ClientFrame {
  if (typeof data !== "string") throw new LunoraError("FRAME_MALFORMED", "frames are text, not bytes");
  if (isLonger(data, FRAME_BYTES))
    throw new LunoraError("FRAME_TOO_LARGE", `a frame has at most ${FRAME_BYTES} bytes`, {
      data: { limit: FRAME_BYTES },
    });
  const frame = parseFrame(data);
  if (isConnected === (frame.type === "connect"))
    throw new LunoraError(
      "FRAME_OUT_OF_STATE",
      isConnected ? "`connect` comes once" : `\`${frame.type}\` came before \`connect\``,
    );
  return frame;
}
