import { readFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

/** Pages of the inspector that are opened from elsewhere. */
export type InspectorPage = "" | "mail";

/**
 * The address of a page of the inspector that this process runs for the project in `root`; `undefined` when it runs none.
 * The token is in the fragment, which no browser sends anywhere.
 */
export function inspectorAddress(root: string, page: InspectorPage = ""): string | undefined {
  let entry: Partial<Record<"origin" | "token" | "pid", unknown>>;
  try {
    entry = JSON.parse(readFileSync(join(root, ".lunora", "inspector.json"), "utf8")) as typeof entry;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  // What another process wrote, or left behind, is not the inspector of this server.
  if (entry.pid !== process.pid) return undefined;
  const url = new URL(page, `${String(entry.origin)}/`);
  url.hash = `token=${encodeURIComponent(String(entry.token))}`;
  return url.href;
}
