import { LUNORA_ERROR } from "@lunora/errors";

/** A coded error, without the table of codes that the tap would have to be made anew for. */
export function refusal(code: "BAD_REQUEST" | "NOT_FOUND", message: string): Error {
  const status = code === "NOT_FOUND" ? 404 : 400;
  return Object.assign(new Error(message), { code, status, [LUNORA_ERROR]: true });
}
