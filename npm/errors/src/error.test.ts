import { describe, expect, it } from "vitest";

import { fromErrorBody, toErrorBody } from "./error-body.ts";
import { isLunoraError, LunoraError, statusOf } from "./error.ts";

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
      body: { code: "CONFLICT", message: "lost", data, hint: "again", docsUrl: "https://d.example" },
    });
    expect(toErrorBody(new LunoraError("NOT_FOUND", "gone")).body).toEqual({ code: "NOT_FOUND", message: "gone" });
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

  it("comes back as an error", () => {
    const original = new LunoraError("FORBIDDEN", "no", { data: { a: 1 }, hint: "h" });
    const { body, status } = toErrorBody(original);
    expect(fromErrorBody(body, status)).toMatchObject({
      code: "FORBIDDEN",
      status: 403,
      message: "no",
      data: { a: 1 },
      hint: "h",
    });
  });
});
