import type { FunctionRegistry, FunctionRegistryEntry, FunctionRegistryFile } from "./definition.ts";

type Exports = Readonly<
  Record<
    string,
    readonly [FunctionRegistryEntry["kind"], FunctionRegistryEntry["visibility"], FunctionRegistryEntry["address"]]
  >
>;

/** What was read of each file: by export. */
const read = new WeakMap<FunctionRegistryFile, ReadonlyMap<string, FunctionRegistryEntry>>();

function isFile(value: FunctionRegistryEntry | FunctionRegistryFile): value is FunctionRegistryFile {
  return Array.isArray(value);
}

function entriesOf(file: FunctionRegistryFile): ReadonlyMap<string, FunctionRegistryEntry> {
  const known = read.get(file);
  if (known !== undefined) return known;
  const [module, text] = file;
  const entries = new Map(
    Object.entries(JSON.parse(text) as Exports).map(([exportName, [kind, visibility, address]]) => [
      exportName,
      { kind, visibility, address, module, exportName },
    ]),
  );
  read.set(file, entries);
  return entries;
}

/** Every function with its wire path. */
export function everyFunction(registry: FunctionRegistry): readonly (readonly [string, FunctionRegistryEntry])[] {
  return Object.entries(registry).flatMap(([path, value]) =>
    isFile(value)
      ? Array.from(entriesOf(value), ([exportName, entry]) => [`${path}:${exportName}`, entry] as const)
      : [[path, value] as const],
  );
}

/** The function of a wire path, whoever may call it; `undefined` when there is none. */
export function findFunction(registry: FunctionRegistry, functionPath: string): FunctionRegistryEntry | undefined {
  const entry = Object.hasOwn(registry, functionPath) ? registry[functionPath] : undefined;
  if (entry !== undefined && !isFile(entry)) return entry;
  const colon = functionPath.lastIndexOf(":");
  const path = functionPath.slice(0, Math.max(colon, 0));
  const file = Object.hasOwn(registry, path) ? registry[path] : undefined;
  return file !== undefined && isFile(file) ? entriesOf(file).get(functionPath.slice(colon + 1)) : undefined;
}
