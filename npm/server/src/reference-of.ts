import type { FanOutResult, FunctionReference } from "@lunora/protocol";
import type { InferFieldsInput } from "@lunora/values";

import type { RegisteredFunction } from "./definition.ts";

/** The reference that a call site sees: arguments and result as the function itself has them. */
export type ReferenceOf<Registered> =
  Registered extends RegisteredFunction<infer Kind, infer Input, infer Result, infer Visibility>
    ? FunctionReference<Kind, InferFieldsInput<Input>, Result, Visibility>
    : never;

/** The same for a function that runs on every shard. */
export type FanOutReferenceOf<Registered> =
  Registered extends RegisteredFunction<infer Kind, infer Input, infer Result, infer Visibility>
    ? FunctionReference<Kind, InferFieldsInput<Input>, FanOutResult<Result>, Visibility>
    : never;
