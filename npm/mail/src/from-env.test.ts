import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Environment, Jurisdiction } from "@lunora/server";

import type { createMailerFromEnv as CreateMailerFromEnv, MailerFromEnvOptions } from "./from-env.ts";
import type { shouldCaptureMail as ShouldCaptureMail } from "./should-capture.ts";

let createMailerFromEnv: typeof CreateMailerFromEnv;
let shouldCaptureMail: typeof ShouldCaptureMail;
const warnings: string[] = [];

beforeEach(async () => {
  // An isolate of its own: what was warned of is not warned of again.
  vi.resetModules();
  ({ createMailerFromEnv } = await import("./from-env.ts"));
  ({ shouldCaptureMail } = await import("./should-capture.ts"));
  warnings.length = 0;
  vi.spyOn(console, "warn").mockImplementation((text: string) => void warnings.push(text));
});
afterEach(() => vi.restoreAllMocks());

describe("shouldCaptureMail", () => {
  test.each<[boolean, Environment]>([
    [true, { LUNORA_MAIL_CAPTURE: "1" }],
    [true, { LUNORA_MAIL_CAPTURE: "true" }],
    [true, { LUNORA_MAIL_CAPTURE: "TRUE" }],
    [true, { LUNORA_MAIL_CAPTURE: true }],
    [true, { LUNORA_MAIL_CAPTURE: "1", ENVIRONMENT: "production" }],
    [false, { LUNORA_MAIL_CAPTURE: "0", ENVIRONMENT: "development" }],
    [false, { LUNORA_MAIL_CAPTURE: "false", NODE_ENV: "test" }],
    [false, { LUNORA_MAIL_CAPTURE: false, NODE_ENV: "test" }],
    ...["CF_ENV", "ENVIRONMENT", "NODE_ENV", "WORKER_ENV"].flatMap((name) =>
      ["dev", "development", "local", "localhost", "test", "Development"].map((value): [boolean, Environment] => [
        true,
        { [name]: value },
      ]),
    ),
    [true, { NODE_ENV: "production", CF_ENV: "dev" }],
    [true, { LUNORA_MAIL_CAPTURE: "", CF_ENV: "dev" }],
    [false, {}],
    [false, { NODE_ENV: "production" }],
    [false, { ENVIRONMENT: "developer" }],
    [false, { STAGE: "development" }],
    [false, { __lunora_mail: { fetch: () => {} } }],
  ])("%s for %o", (captures, env) => {
    expect(shouldCaptureMail(env)).toBe(captures);
    expect(warnings).toEqual([]);
  });

  test.each([
    [true, { LUNORA_MAIL_CAPTURE: "yes", CF_ENV: "dev" }],
    [false, { LUNORA_MAIL_CAPTURE: "on" }],
  ])("%s for %o, and warns once", (captures, env) => {
    for (let time = 0; time < 3; time += 1) expect(shouldCaptureMail(env)).toBe(captures);
    expect(warnings).toEqual([expect.stringContaining("LUNORA_MAIL_CAPTURE")]);
  });
});

const mail = { to: "ada@example.com", subject: "Hello", text: "Hello" };

describe("createMailerFromEnv", () => {
  const code = (env: Environment, options?: MailerFromEnvOptions): unknown => {
    try {
      createMailerFromEnv(env, options);
    } catch (error) {
      return (error as { code: unknown }).code;
    }
    return "nothing was thrown";
  };

  test.each<[string, Environment, MailerFromEnvOptions]>([
    ["no sender", { LUNORA_MAIL_CAPTURE: "1" }, {}],
    ["an empty sender", { LUNORA_MAIL_CAPTURE: "1", MAIL_FROM: " " }, {}],
    ["a sender that is none", { LUNORA_MAIL_CAPTURE: "1", MAIL_FROM: 42 }, {}],
    ["nothing to send with", { MAIL_FROM: "app@example.com" }, {}],
    ["nothing but an empty key", { MAIL_FROM: "app@example.com", RESEND_API_KEY: "" }, {}],
    ["capture switched off and nothing else", { MAIL_FROM: "a@b.co", LUNORA_MAIL_CAPTURE: "0", CF_ENV: "dev" }, {}],
  ])("says what is missing: %s", (_, env, options) => {
    expect(code(env, options)).toBe("MAIL_NOT_CONFIGURED");
  });

  test.each(["de", "EU", "", "fedramp-low", 42, null, {}])(
    "refuses the region %o, whatever it would send with",
    (name) => {
      const jurisdiction = name as Jurisdiction;
      const cloudflareSend = { send: async () => ({ messageId: "m" }) };
      expect(code({ MAIL_FROM: "a@b.co", LUNORA_MAIL_CAPTURE: "1" }, { jurisdiction })).toBe("UNKNOWN_JURISDICTION");
      expect(code({ MAIL_FROM: "a@b.co" }, { jurisdiction, cloudflareSend })).toBe("UNKNOWN_JURISDICTION");
      expect(code({ MAIL_FROM: "a@b.co", RESEND_API_KEY: "re_1" }, { jurisdiction })).toBe("UNKNOWN_JURISDICTION");
    },
  );

  test("captures before it sends, and sends by Cloudflare before Resend", async () => {
    const sent: unknown[] = [];
    const cloudflareSend = {
      send: async (message: object) => {
        sent.push(message);
        return { messageId: "m" };
      },
    };
    const env = { MAIL_FROM: "app@example.com", RESEND_API_KEY: "re_1" };
    const captured = await createMailerFromEnv({ ...env, CF_ENV: "dev" }, { cloudflareSend }).send(mail);
    expect([captured, sent]).toEqual([{ id: "uncaptured" }, []]);
    expect(await createMailerFromEnv(env, { cloudflareSend }).send(mail)).toEqual({ id: "m" });
    expect(sent).toHaveLength(1);
  });

  test("asks Resend where there is a key alone", async () => {
    const asked: string[] = [];
    vi.stubGlobal("fetch", async (address: string) => {
      asked.push(address);
      return Response.json({ id: "r" });
    });
    try {
      const mailer = createMailerFromEnv({ MAIL_FROM: "app@example.com", RESEND_API_KEY: "re_1" });
      expect(await mailer.send(mail)).toEqual({ id: "r" });
    } finally {
      vi.unstubAllGlobals();
    }
    expect(asked).toEqual(["https://api.resend.com/emails"]);
  });

  test("without an inbox a send succeeds all the same, and warns once", async () => {
    const env = { MAIL_FROM: "app@example.com", LUNORA_MAIL_CAPTURE: "1" };
    for (let time = 0; time < 3; time += 1)
      expect(await createMailerFromEnv({ ...env }).send(mail)).toEqual({ id: "uncaptured" });
    expect(warnings).toEqual([expect.stringContaining("no development inbox")]);
  });

  test("what must not leave does not reach the inbox either", async () => {
    const mailer = createMailerFromEnv({ MAIL_FROM: "app@example.com", LUNORA_MAIL_CAPTURE: "1" });
    await expect(mailer.send({ ...mail, subject: "a\nBcc: b@c.de" })).rejects.toMatchObject({
      code: "MAIL_HEADER_INJECTION",
    });
  });
});
