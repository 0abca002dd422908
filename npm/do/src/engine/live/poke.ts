import type { Connection } from "./connection.ts";

/** What a poke does to one view. */
export interface PokePart {
  /** The subscription's id, as JSON. */
  readonly idText: string;
  /** Arrays of operations, as JSON: each goes into a frame of its own. */
  readonly pieces: readonly string[];
  readonly baseCheckpoint?: number | undefined;
  readonly reset?: boolean;
  readonly version?: string | undefined;
}

/** What all parts of a poke have in common. */
export interface PokeHead {
  readonly pokeId: string;
  readonly epoch: string;
  /** Where the views are afterwards. */
  readonly checkpoint: number;
  readonly lastMutationId: number | undefined;
}

/**
 * Sends one poke. The texts are put together from pieces, because the operations, which are most of
 * them, are the same for all subscribers of a shape.
 */
export function sendPoke(connection: Connection, head: PokeHead, parts: readonly PokePart[]): void {
  const { pokeId, checkpoint, lastMutationId } = head;
  const epoch = JSON.stringify(head.epoch);
  connection.sendText(`{"type":"pokeStart","pokeId":"${pokeId}","epoch":${epoch}}`);
  for (const { idText, pieces, baseCheckpoint, reset, version } of parts) {
    pieces.forEach((piece, index) => {
      const isFirst = index === 0;
      let text = `{"type":"pokePart","pokeId":"${pokeId}","shapeId":${idText}`;
      if (baseCheckpoint !== undefined) text += `,"baseCheckpoint":${baseCheckpoint}`;
      if (lastMutationId !== undefined) text += `,"lastMutationId":${lastMutationId}`;
      if (isFirst && reset === true) text += `,"reset":true`;
      if (isFirst && version !== undefined) text += `,"version":"${version}"`;
      connection.sendText(`${text},"rowsPatch":${piece}}`, lastMutationId);
    });
  }
  connection.sendText(`{"type":"pokeEnd","pokeId":"${pokeId}","checkpoint":${checkpoint},"epoch":${epoch}}`);
}
