import type { ErrorBody } from "@lunora/errors";

/** Literal texts of the keep-alive, answered without waking the object. */
export const PING = "lunora-ping";
export const PONG = "lunora-pong";

/** What a client can say it understands, in `connect.caps`. */
export const CAPABILITIES = {
  /** Frames of one flush come as one `batch`. */
  batch: "batch",
  /** Changes of a page come as deltas of its rows. */
  pageDelta: "pageDelta",
} as const;

export type Capability = (typeof CAPABILITIES)[keyof typeof CAPABILITIES];

/** Subprotocol that a server chooses, and the prefix of the one that carries a token as base64url. */
export const SUBPROTOCOL = "lunora";
export const TOKEN_SUBPROTOCOL_PREFIX = "lunora.bearer.";

/** The worker's code is replaced: connect again at once. */
export const CLOSED_RELOAD = 1012;
/** The token has expired: get a new one and connect again. */
export const CLOSED_TOKEN_EXPIRED = 4001;
/** The identity is not valid, or not any more: do not connect again with this token. */
export const CLOSED_IDENTITY_INVALID = 4401;
/** This identity may not reach this shard. */
export const CLOSED_FORBIDDEN = 4403;

/** Codes a socket is closed with. */
export const CLOSE_CODES = {
  /** A frame broke the protocol; an `error` frame came before. */
  protocolError: 1008,
  /** A frame was longer than {@link FRAME_BYTES}. */
  tooLarge: 1009,
  reload: CLOSED_RELOAD as typeof CLOSED_RELOAD,
  /** The reader does not keep up: connect again and resume. */
  slowReader: 1013,
  tokenExpired: CLOSED_TOKEN_EXPIRED as typeof CLOSED_TOKEN_EXPIRED,
  identityInvalid: CLOSED_IDENTITY_INVALID as typeof CLOSED_IDENTITY_INVALID,
  forbidden: CLOSED_FORBIDDEN as typeof CLOSED_FORBIDDEN,
} as const;

/** Longest frame in either direction, bytes of UTF-8. A longer answer is cut into several frames. */
export const FRAME_BYTES = 1_048_576;

/** Most entries in one `push`. */
export const MAX_PUSH_ENTRIES = 500;

/** A change of one row, as subscribers see it. */
export interface RowOperation {
  readonly op: "insert" | "update" | "delete";
  /** The row's id. */
  readonly key: string;
  readonly table: string;
  /** The row after the change, wire-encoded; absent on delete. */
  readonly value?: unknown;
}

/** First and once on every socket. */
export interface ConnectFrame {
  readonly type: "connect";
  readonly id: string;
  readonly clientId?: string;
  readonly caps?: readonly string[];
  /** Wire-encoded; what the app wants to know of the connection. */
  readonly context?: unknown;
}

export interface SubscribeFrame {
  readonly type: "subscribe";
  readonly id: string;
  readonly query: {
    readonly functionPath: string;
    /** Wire-encoded. */
    readonly args: unknown;
    readonly table?: string;
    /** Resume: the cursor and epoch of the last frame that was applied. */
    readonly sinceSeq?: number;
    readonly sinceEpoch?: string;
    /** Resume: the version of the result that the client has. */
    readonly sinceVersion?: string;
  };
}

export interface ShapeSubscribeFrame {
  readonly type: "shape_subscribe";
  readonly id: string;
  readonly shape: {
    readonly name: string;
    /** Wire-encoded. */
    readonly args?: unknown;
  };
  /** Resume: the checkpoint and epoch of the last poke that was applied. */
  readonly sinceCheckpoint?: number;
  readonly sinceEpoch?: string;
  /** Resume: the view's {@link PokePartFrame.version}. */
  readonly sinceVersion?: string;
}

export interface PushEntry {
  /** Position in the client's sequence for this shard, from 1. */
  readonly clientSeq: number;
  readonly mutationId?: string;
  readonly functionPath: string;
  /** Wire-encoded. */
  readonly args: unknown;
}

/** Mutations, in order. */
export interface PushFrame {
  readonly type: "push";
  readonly id: string;
  readonly clientId: string;
  readonly entries: readonly PushEntry[];
  /** Results up to this `clientSeq` have arrived and need not be kept. */
  readonly received?: number;
}

export interface StreamFrame {
  readonly type: "stream";
  readonly id: string;
  readonly query: { readonly functionPath: string; readonly args: unknown };
  /** Resume: the last chunk that arrived, and the run it belongs to. */
  readonly sinceChunk?: number;
  readonly generation?: string;
  /** A run that has ended and is not wanted any more: another takes its place. */
  readonly replaces?: string;
}

/** What a client sends. */
export type ClientFrame =
  | ConnectFrame
  | SubscribeFrame
  | { readonly type: "unsubscribe"; readonly id: string }
  | ShapeSubscribeFrame
  | { readonly type: "shape_unsubscribe"; readonly id: string }
  | PushFrame
  | StreamFrame
  | { readonly type: "whisper_subscribe"; readonly topic: string }
  | { readonly type: "whisper_unsubscribe"; readonly topic: string }
  | { readonly type: "whisper"; readonly topic: string; readonly data?: unknown };

/** How one entry of a push ended; with neither, it succeeded and its result is not kept any more. */
export interface PushResult {
  readonly clientSeq: number;
  /** Wire-encoded; absent for `undefined`. */
  readonly result?: unknown;
  readonly error?: ErrorBody;
}

/** To `connect` and to `push`. */
export interface AckFrame {
  readonly type: "ack";
  readonly id: string;
  /** To a push: one for each entry. */
  readonly results?: readonly PushResult[];
  /** The last position of the client's sequence that has been decided. */
  readonly lastMutationId?: number;
  /** The shard's newest position. */
  readonly cursor?: number;
  readonly epoch?: string;
  /** To `connect`: the capabilities that the server will use. */
  readonly caps?: readonly string[];
}

/** A whole result. */
export interface DataFrame {
  readonly type: "data";
  readonly id: string;
  /** Wire-encoded; absent for `undefined`. */
  readonly data?: unknown;
  /** Names the result; kept with it, and given back to resume. */
  readonly version?: string;
  readonly cursor?: number;
  readonly epoch?: string;
  readonly lastMutationId?: number;
}

/** A change of a result's page; a run of them carries everything but `delta` on its last frame only. */
export interface DeltaFrame {
  readonly type: "delta";
  readonly id: string;
  readonly delta: RowOperation;
  /** Names the result after the run. */
  readonly version?: string;
  readonly cursor?: number;
  readonly epoch?: string;
  readonly lastMutationId?: number;
}

/** The result that the client has is still the result. */
export interface ResumeFrame {
  readonly type: "resume";
  readonly id: string;
  readonly cursor: number;
  readonly epoch: string;
}

/**
 * Nothing changed for a subscription (`id`), or for anything on this socket (no `id`), up to the
 * cursor; `lastMutationId` lets the client drop what it showed in advance.
 */
export interface SettledFrame {
  readonly type: "settled";
  readonly id?: string;
  readonly cursor: number;
  readonly epoch: string;
  readonly lastMutationId?: number;
}

export interface PokeStartFrame {
  readonly type: "pokeStart";
  readonly pokeId: string;
  readonly baseCheckpoint?: number;
  readonly epoch?: string;
}

export interface PokePartFrame {
  readonly type: "pokePart";
  readonly pokeId: string;
  /** The subscription's id. */
  readonly shapeId: string;
  readonly rowsPatch: readonly RowOperation[];
  readonly lastMutationId?: number;
  /** The checkpoint that the view must be at; another one drops and re-seeds the view. */
  readonly baseCheckpoint?: number;
  /** The patch is the whole membership: drop the view first. On the first part of a view only. */
  readonly reset?: boolean;
  /**
   * Names the condition and the columns that the view has from now on. Sent when the view gets
   * them; kept with the view, and given back to resume it.
   */
  readonly version?: string;
}

/** Applies everything since `pokeStart` at once. */
export interface PokeEndFrame {
  readonly type: "pokeEnd";
  readonly pokeId: string;
  readonly checkpoint?: number;
  readonly epoch?: string;
}

export interface ChunkFrame {
  readonly type: "chunk";
  readonly id: string;
  /** Wire-encoded; absent for `undefined`. */
  readonly data?: unknown;
  /** Its place in a durable run, from 1. */
  readonly seq?: number;
  /** Names the durable run. */
  readonly generation?: string;
}

export interface WhisperFrame {
  readonly type: "whisper";
  readonly topic: string;
  readonly data?: unknown;
  readonly from?: string;
}

export interface ErrorFrame {
  readonly type: "error";
  /** The subscription, push or stream that failed; absent when it is the socket's. */
  readonly id?: string;
  readonly error: ErrorBody;
}

export interface CompleteFrame {
  readonly type: "complete";
  readonly id: string;
}

/** What a server sends, one by one. */
export type ServerFrame =
  | AckFrame
  | DataFrame
  | DeltaFrame
  | ResumeFrame
  | SettledFrame
  | PokeStartFrame
  | PokePartFrame
  | PokeEndFrame
  | ChunkFrame
  | WhisperFrame
  | ErrorFrame
  | CompleteFrame;

/** What one flush sends to one socket; a capability. */
export interface BatchFrame {
  readonly type: "batch";
  readonly frames: readonly ServerFrame[];
}
