import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { LunoraError } from "@lunora/errors";
import { defineApp, defineSchema } from "@lunora/server";
import type { InboundMessage, Jurisdiction, LunoraDefinition, SystemCall } from "@lunora/server";

import { dispatchToLunoraFunction } from "./dispatch.ts";
import type { DispatchOptions } from "./dispatch.ts";
import { createInboundEmailHandler } from "./handler.ts";
import type { InboundFailure, InboundOptions } from "./handler.ts";
import { parseInboundEmail } from "./parse-inbound-email.ts";
import type { ParsedEmail } from "./parsed-email.ts";

const RAW = "From: Ada <ada@example.com>\r\nTo: app@example.com\r\nSubject: Hi\r\n\r\nSecret words\r\n";
const REASON = "The message was not accepted.";

const definition: LunoraDefinition = { schema: defineSchema({}), functions: {}, app: defineApp({}) };
const logged: string[] = [];

beforeEach(() => {
  logged.length = 0;
  for (const method of ["warn", "error"] as const)
    vi.spyOn(console, method).mockImplementation((...values: unknown[]) => void logged.push(values.join(" ")));
});
afterEach(() => vi.restoreAllMocks());

/** Delivers a mail; answers the reasons it was rejected with, one after the other. */
async function deliver(options: Partial<InboundOptions>, onReject?: () => void): Promise<string[]> {
  const rejections: string[] = [];
  const message = {
    from: "bounces@example.com",
    to: "reply@app.example",
    raw: new Response(RAW).body as ReadableStream<Uint8Array>,
    rawSize: RAW.length,
    headers: new Headers(),
    setReject: (reason) => {
      onReject?.();
      rejections.push(reason);
    },
    forward: async () => {},
    reply: async () => {},
  } satisfies InboundMessage;
  const handler = createInboundEmailHandler({ parse: parseInboundEmail, dispatch: () => {}, ...options });
  await handler(message, {}, { waitUntil: () => {}, passThroughOnException: () => {} }, definition);
  return rejections;
}

const failing = (): never => {
  throw new Error("Secret cause");
};

describe("a mail", () => {
  test.each([true, undefined, Promise.resolve(true), Promise.resolve()])(
    "is dispatched when `verify` says %o",
    async (verdict) => {
      const subjects: (string | undefined)[] = [];
      const dispatch = ({ subject }: ParsedEmail): void => void subjects.push(subject);
      expect(await deliver({ verify: () => verdict, dispatch })).toEqual([]);
      expect(subjects).toEqual(["Hi"]);
    },
  );

  test.each([false, null, 0, 1, "", "true", "yes", {}, [], Promise.resolve(false)])(
    "is kept out when `verify` says %o",
    async (verdict) => {
      const dispatch = vi.fn<InboundOptions["dispatch"]>();
      expect(await deliver({ verify: () => verdict, dispatch })).toEqual([REASON]);
      expect(dispatch).not.toHaveBeenCalled();
    },
  );

  test.each<[string, Partial<InboundOptions>]>([
    ["parse", { parse: failing }],
    ["verify", { verify: failing }],
    ["verify, later", { verify: async () => failing() }],
    ["dispatch", { dispatch: failing }],
    ["dispatch, later", { dispatch: async () => failing() }],
  ])("that fails in %s is rejected with a reason that tells nothing", async (_, options) => {
    expect(await deliver(options)).toEqual([REASON]);
    expect(logged).toHaveLength(1);
    expect(logged[0]).not.toContain("Secret words");
  });

  test.each<[string, Partial<InboundOptions>]>([
    ["parse", { parse: failing }],
    ["verify", { verify: failing }],
    ["verify", { verify: () => false }],
  ])("that fails in %s is what `onError` makes of it", async (stage, options) => {
    const failures: InboundFailure[] = [];
    expect(await deliver({ ...options, onError: (failure) => void failures.push(failure) })).toEqual([]);
    expect(failures).toMatchObject([{ stage, message: { to: "reply@app.example" } }]);
    const onError = async ({ message }: InboundFailure): Promise<void> => message.setReject("Try the form.");
    expect(await deliver({ ...options, onError })).toEqual(["Try the form."]);
    expect(await deliver({ ...options, onError: failing })).toEqual([REASON]);
  });

  test("is judged once, also when it cannot be rejected", async () => {
    const stages: string[] = [];
    const onError = ({ stage }: InboundFailure): void => {
      stages.push(stage);
      throw new Error("again");
    };
    const broken = async (options: Partial<InboundOptions>): Promise<unknown> =>
      deliver({ ...options, onError }, failing);
    await expect(broken({ verify: () => false })).rejects.toThrow("Secret cause");
    await expect(broken({ parse: failing })).rejects.toThrow("Secret cause");
    expect(stages).toEqual(["verify", "parse"]);
  });

  test("whose dispatch fails is rejected although `onError` learns of it, or fails", async () => {
    const failures: InboundFailure[] = [];
    const onError = (failure: InboundFailure): void => void failures.push(failure);
    expect(await deliver({ dispatch: failing, onError })).toEqual([REASON]);
    expect(failures).toMatchObject([
      { stage: "dispatch", error: { message: "Secret cause" }, email: { subject: "Hi" } },
    ]);
    expect(await deliver({ dispatch: failing, onError: failing })).toEqual([REASON]);
  });

  test("whose dispatch fails is accepted when it is retained, and rejected when that fails", async () => {
    const kept: string[] = [];
    const retain: InboundOptions["retain"] = (email, { error }) => void kept.push(`${email.subject} ${String(error)}`);
    expect(await deliver({ dispatch: failing, retain })).toEqual([]);
    expect(await deliver({ dispatch: failing, retain, onError: failing })).toEqual([]);
    expect(kept).toEqual(["Hi Error: Secret cause", "Hi Error: Secret cause"]);
    expect(await deliver({ dispatch: failing, retain: failing })).toEqual([REASON]);
    expect(await deliver({ dispatch: failing, retain: async () => failing() })).toEqual([REASON]);
  });

  test("is never retained before its dispatch", async () => {
    const retain = vi.fn<NonNullable<InboundOptions["retain"]>>();
    expect(await deliver({ verify: () => false, retain })).toEqual([REASON]);
    expect(await deliver({ parse: failing, retain })).toEqual([REASON]);
    expect(retain).not.toHaveBeenCalled();
  });
});

describe("dispatchToLunoraFunction", () => {
  async function calls(options: DispatchOptions): Promise<SystemCall[]> {
    const made: SystemCall[] = [];
    const dispatch = dispatchToLunoraFunction(options);
    const system = async (call: SystemCall): Promise<void> => void made.push(call);
    expect(await deliver({ dispatch: (email, scope) => dispatch(email, { ...scope, system }) })).toEqual([]);
    return made;
  }

  test("hands over envelope and mail, the files without their bytes", async () => {
    const [call] = await calls({ functionPath: "inbox:receive" });
    expect(call).toMatchObject({
      functionPath: "inbox:receive",
      args: {
        envelope: { from: "bounces@example.com", to: "reply@app.example" },
        email: {
          from: { address: "ada@example.com", name: "Ada" },
          subject: "Hi",
          text: "Secret words\n",
          attachments: [],
        },
      },
    });
    expect(Object.keys(call ?? {})).toEqual(["functionPath", "args"]);
  });

  test("says shard and region only where they are given, and takes references", async () => {
    const functionPath = { path: "inbox:receive", kind: "mutation" } as DispatchOptions["functionPath"];
    const resolveArgs: DispatchOptions["resolveArgs"] = async ({ subject }, { to }) => ({ subject, to });
    expect(await calls({ functionPath, shardKey: "__root__", jurisdiction: "eu", resolveArgs })).toEqual([
      {
        functionPath: "inbox:receive",
        args: { subject: "Hi", to: "reply@app.example" },
        shardKey: "__root__",
        jurisdiction: "eu",
      },
    ]);
  });

  test.each(["de", "EU", "", null, 1])("refuses the region %o before any mail comes", (name) => {
    const jurisdiction = name as Jurisdiction;
    expect(() => dispatchToLunoraFunction({ functionPath: "a:b", jurisdiction })).toThrow(LunoraError);
  });

  test("a function that is not there rejects the mail and tells nobody but the log why", async () => {
    expect(await deliver({ dispatch: dispatchToLunoraFunction({ functionPath: "inbox:receive" }) })).toEqual([REASON]);
    expect(logged).toEqual([expect.stringMatching(/`dispatch`.*`inbox:receive`/)]);
  });
});
