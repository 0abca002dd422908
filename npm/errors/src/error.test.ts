import { describe, expect, it } from "vitest";

import { fromErrorBody, shortErrorBody, toErrorBody } from "./error-body.ts";
import { CodedError, isLunoraError } from "./error.ts";
import { LunoraError, statusOf } from "./lunora-error.ts";

describe("LunoraError", () => {
  it("takes its status from the table, from the options, or is a bad request", () => {
    expect(new LunoraError("NOT_FOUND", "x").status).toBe(404);
    expect(new LunoraError("NOT_FOUND", "x", { status: 410 }).status).toBe(410);
    expect(new LunoraError("OUT_OF_STOCK", "x").status).toBe(400);
    expect(statusOf("toString")).toBe(400);
  });

  it("has only the fields that were given", () => {
    expect(Object.keys(new LunoraError("CONFLICT", "x")).sort()).toEqual(["code", "name", "status"]);
    const cause = new Error("why");
    const error = new LunoraError("CONFLICT", "x", { data: 0, hint: "h", docsUrl: "https://d.example", cause });
    expect(error).toMatchObject({ data: 0, hint: "h", docsUrl: "https://d.example", cause });
  });

  it("is one whether or not the table of statuses was asked", () => {
    class Own extends LunoraError {}
    const coded = new CodedError("CONFLICT", 409, "x");
    expect([coded instanceof LunoraError, coded instanceof Own]).toEqual([true, false]);
    expect([new Own("CONFLICT", "x") instanceof Own, new Own("A", "x") instanceof LunoraError]).toEqual([true, true]);
    expect([new Error("x") instanceof LunoraError, {} instanceof LunoraError]).toEqual([false, false]);
    expect(Object.keys(coded).sort()).toEqual(["code", "name", "status"]);
    expect(toErrorBody(coded)).toEqual({ status: 409, body: { code: "CONFLICT", status: 409, message: "x" } });
  });

  it("is known by its form", () => {
    expect(isLunoraError(new LunoraError("CONFLICT", "x"))).toBe(true);
    expect(isLunoraError({ code: "CONFLICT", status: 409, message: "x" })).toBe(true);
    expect(isLunoraError(Object.assign(new Error("x"), { code: "ENOENT" }))).toBe(false);
    expect(isLunoraError(null)).toBe(false);
    expect(isLunoraError("CONFLICT")).toBe(false);
  });
});

describe("toErrorBody", () => {
  const secret = "postgres://user:hunter2@db";

  it("lets coded errors travel with what they were given and nothing else", () => {
    const data = { retryAfterMs: 5 };
    expect(
      toErrorBody(new LunoraError("CONFLICT", "lost", { data, hint: "again", docsUrl: "https://d.example" })),
    ).toEqual({
      status: 409,
      body: { code: "CONFLICT", status: 409, message: "lost", data, hint: "again", docsUrl: "https://d.example" },
    });
    expect(toErrorBody(new LunoraError("NOT_FOUND", "gone")).body).toEqual({
      code: "NOT_FOUND",
      status: 404,
      message: "gone",
    });
    expect(toErrorBody(new LunoraError("OUT_OF_STOCK", "none left")).body).toEqual({
      code: "OUT_OF_STOCK",
      message: "none left",
    });
  });

  it("never carries a cause or a stack", () => {
    const text = JSON.stringify(toErrorBody(new LunoraError("CONFLICT", "lost", { cause: new Error(secret) })));
    expect(text).not.toContain("hunter2");
    expect(text).not.toContain("error.test");
  });

  it.each([
    ["an Error", new Error(secret)],
    ["a string", secret],
    ["nothing", undefined],
    ["null", null],
    ["an INTERNAL error", new LunoraError("INTERNAL", secret, { data: secret, hint: secret })],
    [
      "a foreign error with code and status",
      Object.assign(new Error(secret), { code: "ERR_BAD_RESPONSE", status: 502 }),
    ],
    ["a plain object with the form of one", { code: "CONFLICT", status: 409, message: secret }],
  ])("redacts %s", (_, thrown) => {
    const { status, body } = toErrorBody(thrown);
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: "INTERNAL", message: "Internal error" });
    expect(JSON.stringify(body)).not.toContain("hunter2");
    expect(body).not.toHaveProperty("data");
  });

  it("has the status of the response, else the body's own, else that of a bad request", () => {
    const body = { code: "OUT_OF_STOCK", message: "x" };
    expect(fromErrorBody({ ...body, status: 410 }, 503).status).toBe(503);
    expect(fromErrorBody({ ...body, status: 410 }).status).toBe(410);
    expect(fromErrorBody(body).status).toBe(400);
    expect(toErrorBody(new LunoraError("OUT_OF_STOCK", "x", { status: 410 })).body).toEqual({ ...body, status: 410 });
  });

  it("is shortened to what has to be known of it", () => {
    const { body } = toErrorBody(new LunoraError("SHARD_ERROR", "x".repeat(9), { data: "y", hint: "h" }));
    expect(shortErrorBody(body, 3)).toEqual({ code: "SHARD_ERROR", status: 503, message: "xxx" });
    expect(shortErrorBody({ code: "OUT_OF_STOCK", message: "none" }, 9)).toEqual({
      code: "OUT_OF_STOCK",
      message: "none",
    });
  });

  it("comes back as an error", () => {
    const original = new LunoraError("FORBIDDEN", "no", { data: { a: 1 }, hint: "h" });
    const { body } = toErrorBody(original);
    expect(fromErrorBody(body)).toMatchObject({
      code: "FORBIDDEN",
      status: 403,
      message: "no",
      data: { a: 1 },
      hint: "h",
    });
  });
});
