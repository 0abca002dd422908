import { SharedFrames } from "../sockets/shared-frames.ts";
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
  readonly lastMutationId?: number | undefined;
}

/**
 * The frames of one poke. They are put together from pieces, because the operations, which are most
 * of them, are the same for all subscribers of a shape.
 */
export function pokeTexts(head: PokeHead, parts: readonly PokePart[]): string[] {
  const { pokeId, checkpoint, lastMutationId } = head;
  const epoch = JSON.stringify(head.epoch);
  const texts = [`{"type":"pokeStart","pokeId":"${pokeId}","epoch":${epoch}}`];
  for (const { idText, pieces, baseCheckpoint, reset, version } of parts) {
    pieces.forEach((piece, index) => {
      const isFirst = index === 0;
      let text = `{"type":"pokePart","pokeId":"${pokeId}","shapeId":${idText}`;
      if (baseCheckpoint !== undefined) text += `,"baseCheckpoint":${baseCheckpoint}`;
      if (lastMutationId !== undefined) text += `,"lastMutationId":${lastMutationId}`;
      if (isFirst && reset === true) text += `,"reset":true`;
      if (isFirst && version !== undefined) text += `,"version":"${version}"`;
      texts.push(`${text},"rowsPatch":${piece}}`);
    });
  }
  texts.push(`{"type":"pokeEnd","pokeId":"${pokeId}","checkpoint":${checkpoint},"epoch":${epoch}}`);
  return texts;
}

/** Sends a poke to one socket. */
export function sendPoke(connection: Connection, head: PokeHead, parts: readonly PokePart[]): void {
  for (const text of pokeTexts(head, parts)) connection.sendText(text, head.lastMutationId);
}

/** Sends the pokes of one flush: those that are alike are one, made once. */
export class PokeRound {
  readonly #head: Omit<PokeHead, "pokeId">;
  readonly #nextId: () => string;
  readonly #shared = new Map<readonly string[], Map<string, SharedFrames>>();

  constructor(head: Omit<PokeHead, "pokeId" | "lastMutationId">, nextId: () => string) {
    this.#head = head;
    this.#nextId = nextId;
  }

  /** `lastMutationId` is that of a client whose pushes are in it: such a poke is its own. */
  send(connection: Connection, parts: readonly PokePart[], lastMutationId: number | undefined): void {
    const [first, ...rest] = parts as [PokePart, ...PokePart[]];
    // Of several views, two sockets hardly have the same.
    if (lastMutationId !== undefined || rest.length > 0)
      sendPoke(connection, { ...this.#head, pokeId: this.#nextId(), lastMutationId }, parts);
    else connection.sendShared(this.#framesOf(first));
  }

  #framesOf(part: PokePart): SharedFrames {
    let ofPieces = this.#shared.get(part.pieces);
    if (ofPieces === undefined) this.#shared.set(part.pieces, (ofPieces = new Map()));
    const key = `${part.baseCheckpoint} ${part.version} ${part.idText}`;
    let frames = ofPieces.get(key);
    if (frames === undefined) {
      frames = new SharedFrames(pokeTexts({ ...this.#head, pokeId: this.#nextId() }, [part]));
      ofPieces.set(key, frames);
    }
    return frames;
  }
}
