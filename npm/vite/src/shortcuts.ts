import { randomInt } from "node:crypto";
import { styleText } from "node:util";
import type { BindCLIShortcutsOptions, CLIShortcut, ViteDevServer } from "vite";
import { DevSession } from "./dev-session.ts";
import { inspectorAddress } from "./inspector-address.ts";
import type { InspectorPage } from "./inspector-address.ts";
import { openInBrowser } from "./open-in-browser.ts";

type Shortcut = CLIShortcut<ViteDevServer>;

const describe = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Vite takes no further key once an action has thrown, so that what goes wrong is told here. */
function shortcut(key: string, description: string, act: (server: ViteDevServer) => Promise<void>): Shortcut {
  return {
    key,
    description,
    action: async (server) => {
      try {
        await act(server);
      } catch (error) {
        server.config.logger.error(`[lunora] ${key}: ${describe(error)}`, { timestamp: true });
      }
    },
  };
}

/** Opens a page of the inspector; where nothing opens it, its address is shown. */
async function openPage(
  server: ViteDevServer,
  page: InspectorPage,
  open: (address: string) => Promise<boolean>,
): Promise<void> {
  const { logger, root } = server.config;
  const address = inspectorAddress(root, page);
  if (address === undefined) logger.warn("[lunora] the inspector is not running yet", { timestamp: true });
  else if (!(await open(address))) logger.info(`  ${styleText("green", "➜")}  ${address}`);
}

/** Does something with the engine, once it runs. */
async function withSession(
  { config: { logger, root } }: ViteDevServer,
  act: (session: DevSession) => Promise<void>,
): Promise<void> {
  const session = DevSession.of(root);
  if (session === undefined) logger.warn("[lunora] the engine is not running", { timestamp: true });
  else await act(session);
}

const regenerate = (server: ViteDevServer): Promise<void> =>
  withSession(server, async (session) => {
    await session.refresh();
    server.config.logger.info("[lunora] everything was read again", { timestamp: true });
  });

/** Short enough to be typed again. */
const anySeed = (): number => randomInt(1_000_000);

/** The plugin prints what comes of it, as it does when somebody asks for it elsewhere. */
const toggleChaos = (server: ViteDevServer): Promise<void> =>
  withSession(server, (session) => session.setChaos(session.state.chaos === undefined ? anySeed() : null));

/** What Lunora adds to Vite's own shortcuts. The keys are none of Vite's: `r`, `u`, `o`, `c`, `q`, `h`. */
export function shortcuts(open: (address: string) => Promise<boolean> = openInBrowser): Shortcut[] {
  return [
    shortcut("l", "open Lunora's inspector", (server) => openPage(server, "", open)),
    shortcut("m", "open the mail inbox", (server) => openPage(server, "mail", open)),
    shortcut("g", "read schema and functions again", regenerate),
    shortcut("x", "start or end chaos: things go wrong on purpose", toggleChaos),
  ];
}

/** Adds the shortcuts wherever Vite's are bound; a key that the app has taken for itself stays the app's. */
export function addShortcuts(server: ViteDevServer, own: readonly Shortcut[] = shortcuts()): void {
  const bind = server.bindCLIShortcuts.bind(server);
  server.bindCLIShortcuts = (options?: BindCLIShortcutsOptions<ViteDevServer>) => {
    const theirs = options?.customShortcuts ?? [];
    const taken = new Set(theirs.map(({ key }) => key));
    bind({ ...options, customShortcuts: [...own.filter(({ key }) => !taken.has(key)), ...theirs] });
  };
}
