export type { Address, FanOutMerge, MergeDirection } from "./address.ts";
export {
  decodeIdShard,
  deriveId,
  encodeIdShard,
  hasIdForm,
  hashText,
  ID_RANDOM_BYTES,
  isDerivable,
  MAX_SHARD_VALUE_BYTES,
  mintId,
  objectName,
  objectOf,
  RESERVED_OBJECT_PREFIX,
  resolveAddress,
  ROOT_OBJECT,
  shardValueText,
} from "./addressing.ts";
export type { Target } from "./addressing.ts";
export { fromBase64Url, toBase64Url, utf8 } from "./base64.ts";
export { canonicalJson, encodedKey, subscriptionKey } from "./canonical-json.ts";
export { decodeValue } from "./decode-value.ts";
export { encodeValue } from "./encode-value.ts";
export {
  encodeFailure,
  HEADERS,
  MAX_BATCH_CALLS,
  MUTATION_ID_HEADER,
  PATHS,
  RPC_PATH,
  SOCKET_PATH,
} from "./envelope.ts";
export type {
  BatchCall,
  BatchRequest,
  BatchResponse,
  BatchSlot,
  RpcFailure,
  RpcRequest,
  RpcResponse,
  RpcSuccess,
} from "./envelope.ts";
export {
  CAPABILITIES,
  CLOSE_CODES,
  CLOSED_FORBIDDEN,
  CLOSED_IDENTITY_INVALID,
  CLOSED_RELOAD,
  CLOSED_TOKEN_EXPIRED,
  FRAME_BYTES,
  MAX_PUSH_ENTRIES,
  PING,
  PONG,
  SUBPROTOCOL,
  TOKEN_SUBPROTOCOL_PREFIX,
} from "./frames.ts";
export type {
  AckFrame,
  BatchFrame,
  Capability,
  ChunkFrame,
  ClientFrame,
  CompleteFrame,
  ConnectFrame,
  DataFrame,
  DeltaFrame,
  ErrorFrame,
  PokeEndFrame,
  PokePartFrame,
  PokeStartFrame,
  PushEntry,
  PushFrame,
  PushResult,
  ResumeFrame,
  RowOperation,
  ServerFrame,
  SettledFrame,
  ShapeSubscribeFrame,
  StreamFrame,
  SubscribeFrame,
  WhisperFrame,
} from "./frames.ts";
export { assertShallow } from "./json-depth.ts";
export { applyPageOperations, pageOf, withPage } from "./page-delta.ts";
export type { PageOperation, PageRow } from "./page-delta.ts";
export { parseFrame } from "./parse-frame.ts";
export type { OptimisticContext, OptimisticDatabase, OptimisticMutator, OptimisticRow } from "./optimistic.ts";
export { functionReference, presenceReference, shapeReference } from "./reference.ts";
export type {
  ArgumentsOf,
  CallArguments,
  FanOutFailure,
  FanOutResult,
  FunctionKind,
  FunctionReference,
  FunctionVisibility,
  PresenceReference,
  ResultOf,
  ShapeReference,
  ShapeRefresh,
} from "./reference.ts";
export {
  checkRoom,
  parsePresenceFrame,
  PRESENCE_BYTES,
  ROOM_MEMBERS,
  UPDATES_PER_SECOND,
  UPDATE_BURST,
} from "./presence-frames.ts";
export type { PresenceClientFrame, PresenceMember, PresenceServerFrame } from "./presence-frames.ts";
export { MAX_BIGINT_DIGITS, MAX_WIRE_DEPTH, WIRE_TAG } from "./wire.ts";
