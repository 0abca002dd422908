import { functionReference, ROOT_OBJECT, shapeReference } from "@lunora/protocol";
import type { Address, FunctionReference, ShapeReference } from "@lunora/protocol";

import type { Row } from "./reference-shard.ts";

/** The functions of the reference shard, as generated code would name them. */
const root: Address = { kind: "root" };
export const SHARD: string = ROOT_OBJECT;

type Query<Arguments, Result> = FunctionReference<"query", Arguments, Result, "public">;
type Mutation<Arguments, Result = null> = FunctionReference<"mutation", Arguments, Result, "public">;

export interface Written {
  readonly tag: string;
  readonly author: string;
}

export const list: Query<{ channel: string }, Row[]> = functionReference("rows:list", "query", root);
export const count: Query<{}, number> = functionReference("rows:count", "query", root);
export const mine: Query<{}, { page: Row[]; isDone: boolean }> = functionReference("rows:mine", "query", root);
export const add: Mutation<Written & { channel: string }, string> = functionReference("rows:add", "mutation", root);
export const move: Mutation<Written & { id: string; channel: string }> = functionReference(
  "rows:move",
  "mutation",
  root,
);
export const remove: Mutation<Written & { id: string }> = functionReference("rows:remove", "mutation", root);
export const fail: Mutation<Written> = functionReference("rows:fail", "mutation", root);
export const put: Mutation<Written & { channel: string }, string> = functionReference("mutators:put", "mutation", root);
export const inChannel: ShapeReference<{ channel: string }, Row> = shapeReference("inChannel", "rows", root);
