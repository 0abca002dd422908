/** Imports a module of the app. */
export type LoadModule = () => Promise<Record<string, unknown>>;

/** What an import came to. */
export type ImportedModule =
  | { readonly exports: Record<string, unknown>; readonly error?: undefined }
  | { readonly error: string };

/** Modules that are imported before others have a turn: each takes some tenths of a millisecond of the only thread. */
const SLICE = 16;

/** How long one may take, milliseconds: its top level may wait for what does not come. */
const DEADLINE = 10_000;

/**
 * Imports each module once, a few at a time: objects of the same process have their turns in between. Never rejects.
 */
export async function importModules(
  loads: Iterable<LoadModule>,
  deadline: number = DEADLINE,
): Promise<ReadonlyMap<LoadModule, ImportedModule>> {
  const wanted = [...new Set(loads)];
  const modules = new Map<LoadModule, ImportedModule>();
  for (let start = 0; start < wanted.length; start += SLICE) {
    const slice = wanted.slice(start, start + SLICE);
    const imported = await Promise.all(slice.map((load) => importModule(load, deadline)));
    slice.forEach((load, index) => modules.set(load, imported[index] as ImportedModule));
    // Imports that are there already take no time, and so give nobody a turn.
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return modules;
}

async function importModule(load: LoadModule, deadline: number): Promise<ImportedModule> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const late = new Promise<ImportedModule>((resolve) => {
    timer = setTimeout(() => resolve({ error: `its module was not imported within ${deadline} ms` }), deadline);
  });
  try {
    return await Promise.race([load().then((exports) => ({ exports })), late]);
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(timer);
  }
}
