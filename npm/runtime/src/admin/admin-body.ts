import { LunoraError } from "@lunora/errors";

import { readJson } from "../read-json.ts";

/** Longest body of an admin's request that is not rows, bytes. */
const BODY_BYTES = 1024 * 1024;

/** The fields of a request, checked one by one as they are asked for. */
export class AdminBody {
  readonly #fields: Readonly<Record<string, unknown>>;

  private constructor(fields: Readonly<Record<string, unknown>>) {
    this.#fields = fields;
  }

  static async read(request: Request, limit: number = BODY_BYTES): Promise<AdminBody> {
    const value = await readJson(request, limit);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new LunoraError("BAD_REQUEST", "the body has to be an object");
    return new AdminBody(value as Record<string, unknown>);
  }

  /** Everything but the fields of these names, unchecked, to be handed on to whoever checks it. */
  without(...names: readonly string[]): Record<string, unknown> {
    return Object.fromEntries(Object.entries(this.#fields).filter(([name]) => !names.includes(name)));
  }

  /** A field that may be left out. */
  has(name: string): boolean {
    return (this.#fields[name] ?? null) !== null;
  }

  text(name: string): string {
    const value = this.#fields[name];
    if (typeof value === "string" && value !== "" && value.length <= 1024) return value;
    throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be a text of 1 to 1024 characters`);
  }

  texts(name: string): string[] {
    const value = this.#fields[name];
    if (Array.isArray(value) && value.every((item) => typeof item === "string")) return value as string[];
    throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be a list of texts`);
  }

  /** Where a paged operation goes on; `null` at its beginning. */
  cursor(name = "cursor"): string | null {
    const value = this.#fields[name] ?? null;
    if (value === null || typeof value === "string") return value;
    throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be a text or null`);
  }

  flag(name: string): boolean {
    return this.#fields[name] === true;
  }

  /** A whole number within bounds; `otherwise` when it is left out. */
  number(name: string, otherwise: number, least: number, most: number): number {
    const value = this.#fields[name] ?? otherwise;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    throw new LunoraError("BAD_REQUEST", `\`${name}\` has to be a whole number from ${least} to ${most}`);
  }
}
