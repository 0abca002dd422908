import { stripVTControlCharacters, styleText } from "node:util";
import type { Alias, Plugin, ResolvedConfig, ViteDevServer } from "vite";
import { bannerLines } from "./banner.ts";
import { chaosLine, chaosSeed } from "./chaos.ts";
import { DevSession } from "./dev-session.ts";
import type { EngineNotice } from "./engine-host.ts";
import { forwardRequest, forwardUpgrade, reservedPrefix } from "./forward.ts";
import { isAllowedUpgrade } from "./host-check.ts";
import { isInspectorPath, leadToInspector } from "./inspector-redirect.ts";
import type { LunoraOptions } from "./options.ts";
import { hasErrors, overlayPayload } from "./overlay.ts";
import { addShortcuts } from "./shortcuts.ts";

const green = (text: string): string => styleText("green", text);

/** Aliases that static resolution can follow; a pattern needs the bundler. */
function plainAliases(aliases: readonly Alias[]): { find: string; replacement: string }[] {
  return aliases.flatMap(({ find, replacement }) => (typeof find === "string" ? [{ find, replacement }] : []));
}

function printNotice(config: ResolvedConfig, notice: EngineNotice, isServing: boolean): void {
  const { logger } = config;
  switch (notice.type) {
    case "diagnostics":
      logger.error(notice.rendered, { timestamp: true });
      if (hasErrors(notice.diagnostics) && notice.serving)
        logger.info("[lunora] the last good worker keeps serving", { timestamp: true });
      break;
    case "recovered":
      logger.info("[lunora] all errors are gone", { timestamp: true });
      break;
    case "ready":
      if (notice.generation > 1) {
        logger.info(`${styleText("cyan", "[lunora]")} worker reloaded in ${Math.round(notice.milliseconds)} ms`, {
          timestamp: true,
        });
      }
      break;
    case "log":
      logger[notice.level === "error" ? "error" : notice.level === "warn" ? "warn" : "info"](notice.rendered);
      break;
    case "notice":
      logger.info(`[lunora] ${notice.message}`, { timestamp: true });
      break;
    case "chaos":
      // The first one is in the start-up block.
      if (isServing) logger.warn(chaosLine(notice.seed), { timestamp: true });
      break;
    case "generated":
    case "inspector":
      break;
  }
}

/** Shows errors in the browser, to pages that are open and to those that connect later. */
function showInOverlay(server: ViteDevServer, session: DevSession): (notice: EngineNotice) => void {
  const root = server.config.root;
  const { hot } = server.environments.client;
  hot.on("vite:client:connect", () => {
    const payload = overlayPayload(root, session.state.diagnostics);
    if (payload !== undefined) hot.send(payload);
  });
  return (notice) => {
    if (notice.type === "diagnostics") {
      const payload = overlayPayload(root, notice.diagnostics);
      if (payload !== undefined) hot.send(payload);
    } else if (notice.type === "recovered") {
      // An update without content is how Vite's client is told that an error is over.
      hot.send({ type: "update", updates: [] });
    } else if (notice.type === "ready") {
      hot.send("lunora:reloaded", { generation: notice.generation });
    }
  };
}

function serveWorker(server: ViteDevServer, session: DevSession): void {
  const allowedHosts = server.config.server.allowedHosts ?? [];
  server.middlewares.use((request, response, next) => {
    if (isInspectorPath(request.url)) leadToInspector(request, response, session.state.inspector?.origin, allowedHosts);
    else if (request.url?.startsWith(reservedPrefix) === true)
      void forwardRequest(request, response, session.workerUrl);
    else next();
  });
  server.httpServer?.on("upgrade", (request, socket, head) => {
    if (request.url?.startsWith(reservedPrefix) !== true) return;
    if (!isAllowedUpgrade(request.headers, allowedHosts)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    void forwardUpgrade(request, socket, head, session.workerUrl);
  });
}

function printBanner(server: ViteDevServer, session: DevSession): void {
  const printUrls = server.printUrls.bind(server);
  let due = false;
  const print = (): void => {
    const lines = bannerLines(session.state, green);
    if (!due || lines.length === 0) return;
    due = false;
    for (const line of lines) server.config.logger.info(line);
  };
  server.printUrls = () => {
    printUrls();
    due = true;
    print();
  };
  session.listen((notice) => {
    if (notice.type === "ready") print();
  });
}

/** `vite dev`: the engine beside Vite's server. */
export function devPlugin(options: LunoraOptions): Plugin {
  let config: ResolvedConfig;
  let release: (() => Promise<void>) | undefined;
  return {
    name: "lunora:dev",
    apply: "serve",
    // Every write to a database there would wake Vite's watcher, for files that no page is made of.
    config: () => ({ server: { watch: { ignored: ["**/.lunora/**"] } } }),
    configResolved(resolved) {
      config = resolved;
    },
    async configureServer(server) {
      const chaos = chaosSeed(options.chaos);
      const session = await DevSession.acquire({
        root: config.root,
        lunoraDirectory: options.lunoraDirectory ?? "lunora",
        color: config.logger.hasWarned !== undefined && stripVTControlCharacters(green("x")) !== green("x"),
        port: options.port ?? 0,
        alias: plainAliases(config.resolve.alias),
        bundle: options.bundle ?? false,
        inspector: options.inspector ?? true,
        ...(chaos === undefined ? {} : { chaos }),
        command: "vite dev",
        ...(options.workerd === undefined ? {} : { workerd: options.workerd }),
      });
      const stopListening = [
        session.listen((notice) => printNotice(config, notice, session.state.worker !== undefined)),
        session.listen(showInOverlay(server, session)),
      ];
      release = async () => {
        for (const stop of stopListening) stop();
        await session.release();
      };
      // The engine watches by itself once it runs; until then Vite's eyes have to do.
      server.watcher.on("all", () => session.retry());
      printBanner(server, session);
      addShortcuts(server);
      serveWorker(server, session);
    },
    async closeBundle() {
      if (this.environment.name !== "client") return;
      const ending = release;
      release = undefined;
      await ending?.();
    },
  };
}
