import { decoded } from "./names.ts";

/** The views, in the order of the menu; each has a letter that goes to it after `g`. */
export const VIEWS = [
  { name: "overview", title: "Overview", path: "/", letter: "h" },
  { name: "shards", title: "Shards", path: "/shards", letter: "s" },
  { name: "oplog", title: "Op-log", path: "/oplog", letter: "o" },
  { name: "pokes", title: "Pokes", path: "/pokes", letter: "p" },
  { name: "shapes", title: "Shapes", path: "/shapes", letter: "a" },
  { name: "clients", title: "Clients", path: "/clients", letter: "c" },
  { name: "data", title: "Data", path: "/data", letter: "d" },
  { name: "functions", title: "Functions", path: "/functions", letter: "f" },
  { name: "scheduled", title: "Scheduled", path: "/scheduled", letter: "j" },
  { name: "queues", title: "Queues", path: "/queues", letter: "q" },
  { name: "residency", title: "Residency", path: "/residency", letter: "r" },
  { name: "mail", title: "Mail", path: "/mail", letter: "m" },
  { name: "schema", title: "Schema", path: "/schema", letter: "e" },
  { name: "logs", title: "Logs", path: "/logs", letter: "l" },
  { name: "faults", title: "Faults", path: "/faults", letter: "x" },
] as const;

export type ViewName = (typeof VIEWS)[number]["name"] | "calls" | "missing";

/** A place in the inspector. */
export interface Route {
  readonly view: ViewName;
  /** What follows the view in the path, decoded. */
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

/** Reads a path with its query, `/data/messages%3Ageneral/messages?filter=…`. */
export function parseRoute(path: string, search: string): Route {
  const [first, ...parts] = path
    .split("/")
    .filter((part) => part !== "")
    .map(partOf);
  const known = VIEWS.find((view) => view.path === `/${first ?? ""}`)?.name;
  const view: ViewName = known ?? (first === "calls" ? "calls" : "missing");
  return { view, parts, query: new URLSearchParams(search) };
}

/**
 * A part of a path. A dot is written `~2E`, since the server takes a path with one for a file and browsers write `%2E`
 * as a dot again; ids of rows of sharded tables have one.
 */
const encoded = (part: string): string => encodeURIComponent(part).replaceAll("~", "~7E").replaceAll(".", "~2E");

const partOf = (text: string): string => decoded(text.replaceAll("~2E", ".").replaceAll("~7E", "~"));

/** The address of a place; `undefined` and empty values are left out of the query. */
export function href(
  view: ViewName,
  parts: readonly string[] = [],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const path = `/${[view === "overview" ? "" : view, ...parts.map(encoded)].join("/")}`;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  return search.size === 0 ? path : `${path}?${search}`;
}
