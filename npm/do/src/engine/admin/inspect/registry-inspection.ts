import type { RegistryAdminHost } from "../admin-part.ts";
import { fieldsOf } from "../arguments.ts";
import { optionalText, wholeNumber } from "./questions.ts";

/** Most names of a page. */
const PAGE = 200;

/** Names that one request looks at, for a search that few of them meet. */
const LOOKED_AT = 20_000;

/** A page of the names of shards. */
export interface FoundShards {
  readonly names: readonly string[];
  /** Where to go on; `null` at the end. There may be fewer names than asked for, or none, before it. */
  readonly cursor: string | null;
}

/** Names of shards, in their order: `{cursor?, limit?, search?}`. The search is for a part of the name or of the value in it. */
function find({ sql }: RegistryAdminHost, argument: unknown): FoundShards {
  const fields = fieldsOf(argument);
  const limit = wholeNumber(fields, "limit", PAGE, 1, PAGE);
  const after = optionalText(fields, "cursor") ?? "";
  const search = optionalText(fields, "search")?.toLowerCase();
  const most = search === undefined ? limit + 1 : LOOKED_AT;
  const looked = sql
    .exec("SELECT name FROM shards WHERE name > ? ORDER BY name LIMIT ?", after, most)
    .toArray()
    .map((row) => row["name"] as string);
  const names: string[] = [];
  let last: string | null = null;
  for (const name of looked) {
    if (names.length === limit) return { names, cursor: last };
    last = name;
    if (search === undefined || textOf(name).includes(search)) names.push(name);
  }
  return { names, cursor: looked.length < most ? null : last };
}

/** Name and value, as they are typed. */
function textOf(name: string): string {
  try {
    return `${name}\n${decodeURIComponent(name)}`.toLowerCase();
  } catch {
    return name.toLowerCase();
  }
}

/** What is asked of the registry to look into it. */
export function createRegistryInspection(
  host: RegistryAdminHost,
): Readonly<Record<`inspect/${string}`, (argument: unknown) => unknown>> {
  return { "inspect/shards": (argument) => find(host, argument) };
}
