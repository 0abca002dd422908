import type { LunoraClient } from "@lunora/client";
import type { FunctionReference, ShapeReference } from "@lunora/protocol";
import { createCollection } from "@tanstack/db";
import { expectTypeOf, it } from "vitest";

import { bindMutators, lunoraCollectionOptions } from "./index.ts";

interface Message {
  readonly _id: string;
  readonly _creationTime: number;
  readonly channelId: string;
  readonly body: string;
}

declare const client: LunoraClient;
declare const recent: ShapeReference<{ channelId: string }, Message>;
declare const everything: ShapeReference<{}, Message>;
declare const send: FunctionReference<"mutation", { channelId: string; body: string }, string, "public">;
declare const clear: FunctionReference<"mutation", {}, null, "public">;

it("types collections by the shape", () => {
  const messages = createCollection(lunoraCollectionOptions({ client, shape: recent, args: { channelId: "x" } }));
  expectTypeOf(messages.get("x")?.body).toEqualTypeOf<string | undefined>();
  createCollection(lunoraCollectionOptions({ client, shape: everything }));
  lunoraCollectionOptions({ client, shape: everything, matches: (row) => row.body !== "" });
  // @ts-expect-error missing arguments
  lunoraCollectionOptions({ client, shape: recent });
  // @ts-expect-error a renamed argument
  lunoraCollectionOptions({ client, shape: recent, args: { channel: "x" } });
});

it("types mutators by their reference and the collections", () => {
  const messages = createCollection(lunoraCollectionOptions({ client, shape: recent, args: { channelId: "x" } }));
  const mutators = bindMutators(
    client,
    { collections: { messages } },
    {
      send: {
        mutation: send,
        apply: (tables, args, context) => {
          expectTypeOf(args).toEqualTypeOf<{ channelId: string; body: string }>();
          expectTypeOf(context.now).toEqualTypeOf<number>();
          expectTypeOf(tables.messages.insert(args)).resolves.toEqualTypeOf<string>();
          expectTypeOf(tables.messages.get("x")).resolves.toEqualTypeOf<Message | null>();
          expectTypeOf(tables.messages.rows()).resolves.toEqualTypeOf<readonly Message[]>();
          void tables.messages.patch("x", { body: args.body });
          // @ts-expect-error a missing field
          void tables.messages.insert({ body: args.body });
          // @ts-expect-error an unknown field
          void tables.messages.patch("x", { text: args.body });
          // @ts-expect-error an unknown collection
          void tables.channels.delete("x");
        },
      },
      clear: { mutation: clear, apply: ({ messages: rows }) => rows.delete("x") },
    },
  );
  expectTypeOf(mutators.send({ channelId: "x", body: "y" }).isPersisted.promise).resolves.toEqualTypeOf<string>();
  expectTypeOf(mutators.clear().isPersisted.promise).resolves.toEqualTypeOf<null>();
  // @ts-expect-error missing arguments
  mutators.send();
});
