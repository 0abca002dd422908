import type { LunoraClient, LunoraError } from "@lunora/client";
import type { FunctionReference, ShapeReference } from "@lunora/protocol";
import { expectTypeOf, it } from "vitest";

import {
  useAction,
  useMutation,
  useMutator,
  usePaginatedQuery,
  usePreloadedQuery,
  useQuery,
  useQueryResult,
  useShape,
  useSubscription,
} from "./index.ts";
import { preloadQuery } from "./server.ts";

interface Message {
  readonly _id: string;
  readonly body: string;
}

declare const client: LunoraClient;
declare const list: FunctionReference<"query", { channelId: string; limit?: number }, Message[], "public">;
declare const count: FunctionReference<"query", {}, number, "public">;
declare const secret: FunctionReference<"query", {}, number, "internal">;
declare const pages: FunctionReference<
  "query",
  { channelId: string; paginationOpts: { numItems: number; cursor?: string | null; endCursor?: string | null } },
  { page: Message[]; isDone: boolean; continueCursor: string },
  "public"
>;
declare const send: FunctionReference<"mutation", { body: string }, string, "public">;
declare const clear: FunctionReference<"mutation", {}, null, "public">;
declare const mail: FunctionReference<"action", { to: string }, boolean, "public">;
declare const recent: ShapeReference<{ channelId: string }, Message>;

it("types live queries by the reference", () => {
  expectTypeOf(useQuery(list, { channelId: "x" })).toEqualTypeOf<Message[] | undefined>();
  expectTypeOf(useQuery(list, "skip")).toEqualTypeOf<Message[] | undefined>();
  expectTypeOf(useQuery(count)).toEqualTypeOf<number | undefined>();
  expectTypeOf(useQuery(count, "skip")).toEqualTypeOf<number | undefined>();
  const result = useQueryResult(list, { channelId: "x" });
  expectTypeOf(result.data).toEqualTypeOf<Message[] | undefined>();
  expectTypeOf(result.error).toEqualTypeOf<LunoraError | undefined>();
  expectTypeOf(result.status).toEqualTypeOf<"loading" | "live" | "stale" | "error" | "skipped">();
  // @ts-expect-error missing arguments
  useQuery(list);
  // @ts-expect-error a renamed argument
  useQuery(list, { channel: "x" });
  // @ts-expect-error a misspelt skip
  useQuery(list, "skipp");
  // @ts-expect-error another kind
  useQuery(send, { body: "x" });
  // @ts-expect-error out of a client's reach
  useQuery(secret);
});

it("types pages", () => {
  const result = usePaginatedQuery(pages, { channelId: "x" }, { initialNumItems: 10 });
  expectTypeOf(result.results).toEqualTypeOf<readonly Message[]>();
  expectTypeOf(result.loadMore).toEqualTypeOf<(numItems: number) => boolean>();
  usePaginatedQuery(pages, "skip", { initialNumItems: 10 });
  // @ts-expect-error the first size is needed
  usePaginatedQuery(pages, { channelId: "x" });
  // @ts-expect-error a missing argument
  usePaginatedQuery(pages, {}, { initialNumItems: 10 });
  // @ts-expect-error no pages
  usePaginatedQuery(list, { channelId: "x" }, { initialNumItems: 10 });
});

it("types mutations, mutators and actions", () => {
  const mutation = useMutation(send);
  expectTypeOf(mutation({ body: "x" })).resolves.toEqualTypeOf<string>();
  expectTypeOf(mutation.mutate({ body: "x" })).resolves.toEqualTypeOf<string>();
  expectTypeOf(mutation.pending).toEqualTypeOf<boolean>();
  expectTypeOf(mutation.data).toEqualTypeOf<string | undefined>();
  expectTypeOf(useMutation(clear)()).resolves.toEqualTypeOf<null>();
  const optimistic = mutation.withOptimisticUpdate((store, args) => {
    expectTypeOf(args).toEqualTypeOf<{ body: string }>();
    const messages = store.getQuery(list, { channelId: "x" });
    expectTypeOf(messages).toEqualTypeOf<Message[] | undefined>();
    store.setQuery(list, { channelId: "x" }, [{ _id: store.deriveId("messages", 0), body: args.body }]);
    // @ts-expect-error another result
    store.setQuery(count, {}, "x");
  });
  expectTypeOf(optimistic({ body: "x" })).resolves.toEqualTypeOf<string>();
  // @ts-expect-error missing arguments
  mutation();
  // @ts-expect-error another kind
  useMutation(mail);

  expectTypeOf(useMutator(send)({ body: "x" })).resolves.toEqualTypeOf<string>();
  expectTypeOf(useAction(mail)({ to: "x" })).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(useAction(mail).call({ to: "x" })).resolves.toEqualTypeOf<boolean>();
  // @ts-expect-error another kind
  useAction(send);
});

it("types shapes, subscriptions and what was preloaded", () => {
  expectTypeOf(useShape(recent, { channelId: "x" })).toEqualTypeOf<readonly Message[] | undefined>();
  expectTypeOf(useShape(recent, "skip")).toEqualTypeOf<readonly Message[] | undefined>();
  // @ts-expect-error a missing argument
  useShape(recent, {});
  useSubscription(list, { channelId: "x" }, (messages) => expectTypeOf(messages).toEqualTypeOf<Message[]>());
  useSubscription(count, "skip", { onData: (value) => expectTypeOf(value).toEqualTypeOf<number>() });
  const preloading = preloadQuery(client, list, { channelId: "x" });
  void preloading.then((preloaded) => expectTypeOf(usePreloadedQuery(preloaded)).toEqualTypeOf<Message[]>());
  // @ts-expect-error missing arguments
  void preloadQuery(client, list);
});
