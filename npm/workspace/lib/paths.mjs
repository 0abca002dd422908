import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "..");

/** A program that a package installed. */
export const bin = (name) => join(root, "node_modules", ".bin", name);
