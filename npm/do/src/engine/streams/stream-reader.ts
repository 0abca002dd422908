import type { ErrorBody } from "@lunora/errors";

import type { SocketConnection } from "../sockets/socket-connection.ts";
import type { ChunkText } from "./transcripts.ts";

/** A subscriber of a run. */
export interface StreamReader {
  readonly connection: SocketConnection;
  /** Of its subscription. */
  readonly id: string;
  /** The last chunk that it was sent. */
  position: number;
  /** It is looked at again later. */
  isWaiting: boolean;
}

/** A chunk as a frame; `generation` of durable runs only. */
export function chunkFrame(id: string, data: ChunkText, seq: number, generation: string | undefined): string {
  const value = data === null ? "" : `,"data":${data}`;
  const place = generation === undefined ? "" : `,"seq":${seq},"generation":${JSON.stringify(generation)}`;
  return `{"type":"chunk","id":${JSON.stringify(id)}${value}${place}}`;
}

/** The end of a run as one of its readers is told. */
export function sendEnd({ connection, id }: StreamReader, error: ErrorBody | undefined): void {
  connection.send(error === undefined ? { type: "complete", id } : { type: "error", id, error });
}
