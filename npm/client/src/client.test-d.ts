import type { FanOutResult, FunctionReference } from "@lunora/protocol";
import { expectTypeOf, it } from "vitest";

import { batch, batchCall } from "./batch.ts";
import type { Settled } from "./batch.ts";
import type { LunoraClient } from "./index.ts";

declare const client: LunoraClient;
declare const list: FunctionReference<"query", { channelId: string; limit?: number }, string[], "public">;
declare const top: FunctionReference<"query", {}, FanOutResult<string[]>, "public">;
declare const send: FunctionReference<"mutation", { body: string }, number, "public">;
declare const secret: FunctionReference<"query", {}, number, "internal">;

it("types arguments and results by the reference", () => {
  expectTypeOf(client.query(list, { channelId: "x" })).resolves.toEqualTypeOf<string[]>();
  expectTypeOf(client.query(top)).resolves.toEqualTypeOf<FanOutResult<string[]>>();
  expectTypeOf(client.mutation(send, { body: "x" }, { mutationId: "m" })).resolves.toEqualTypeOf<number>();
  // @ts-expect-error a renamed argument
  client.query(list, { channel: "x" });
  // @ts-expect-error a missing argument
  client.query(list, {});
  // @ts-expect-error missing arguments
  client.mutation(send);
  // @ts-expect-error another kind
  client.query(send, { body: "x" });
  // @ts-expect-error another kind
  client.action(send, { body: "x" });
  // @ts-expect-error out of a client's reach
  client.query(secret);
});

it("types each result of a batch", () => {
  expectTypeOf(
    batch(client, [batchCall(list, { channelId: "x" }), batchCall(send, { body: "x" })]),
  ).resolves.toEqualTypeOf<readonly [Settled<string[]>, Settled<number>]>();
  // @ts-expect-error a renamed argument
  batchCall(send, { text: "x" });
});
