import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** This folder. */
export const benchFolder = dirname(fileURLToPath(import.meta.url));

/** The top of the repository. */
export const root = join(benchFolder, "..", "..");

/** Where the results of the last run are. */
export const latestFile = join(root, "target", "bench", "latest.json");
