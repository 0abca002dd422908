// Finds the addon built for this platform and turns its answers into values or coded errors.
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** Platforms with an addon, by `process.platform` and `process.arch`. */
const targets = {
  "linux-x64": "linux-x64-gnu",
  "linux-arm64": "linux-arm64-gnu",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
};

/** An error of the toolchain: a stable code, and the diagnostics it is made of. */
export class ToolchainError extends Error {
  constructor({ code, message, help, diagnostics, rendered }) {
    super(help ? `${message}\n${help}` : message);
    this.name = "ToolchainError";
    this.code = code;
    this.help = help;
    this.diagnostics = diagnostics ?? [];
    this.rendered = rendered ?? message;
  }
}

function load() {
  const platform = `${process.platform}-${process.arch}`;
  const target = targets[platform];
  if (target === undefined) {
    throw new ToolchainError({
      code: "PLATFORM_UNSUPPORTED",
      message: `Lunora's toolchain does not run on \`${platform}\`.`,
      help: `It runs on ${Object.keys(targets).join(", ")}. On Windows, use WSL.`,
    });
  }
  const failures = [];
  for (const candidate of [`./lunora.${target}.node`, `@lunora/native-${target}`]) {
    try {
      return require(candidate);
    } catch (error) {
      failures.push(`${candidate}: ${error.message.split("\n", 1)[0]}`);
    }
  }
  throw new ToolchainError({
    code: "ADDON_MISSING",
    message: `The native addon for \`${platform}\` could not be loaded (${failures.join("; ")}).`,
    help: "Install again with optional dependencies (npm install --include=optional), or, in this repository, run npm run build.",
  });
}

const addon = load();

/** Every export of the addon answers `{ok}` or `{error}`; this is the only place that knows. */
function settle(answer) {
  if (answer.error !== undefined && answer.error !== null) throw new ToolchainError(JSON.parse(answer.error));
  return answer.value === undefined || answer.value === null ? undefined : JSON.parse(answer.value);
}

export const version = addon.VERSION;

/** Reads the schema and the functions once and writes `lunora/_generated`. */
export async function codegen(options) {
  return settle(await addon.codegen(JSON.stringify(options)));
}

/** Runs code generation strictly, for a production build. */
export async function prepareBuild(options) {
  return settle(await addon.prepareBuild(JSON.stringify(options)));
}

/** Leaves of `mutators.ts` what clients run. */
export async function clientModule(options) {
  return settle(await addon.clientModule(JSON.stringify(options)));
}

/** Runs the `lunora` command as far as it needs no JavaScript. */
export async function runCommandLine(options) {
  return settle(await addon.runCommandLine(JSON.stringify(options)));
}

/** Tells the command that runs to end. Answers whether it listens; else the signal means what it always means. */
export function interruptCommandLine() {
  return settle(addon.interruptCommandLine());
}

/** Makes what was deployed the baseline that the next deployment is compared with. */
export async function finishRelease(options) {
  return settle(await addon.finishRelease(JSON.stringify(options)));
}

/** The one call that cannot answer; what it throws is a defect. */
function construct(name, options, onEvent) {
  const text = JSON.stringify(options);
  try {
    return new addon[name](text, (_error, event) => onEvent(JSON.parse(event)));
  } catch (error) {
    throw new ToolchainError({
      code: "INTERNAL",
      message: `the toolchain failed: ${error.message}`,
      help: "This is a defect of Lunora; what you were doing when it happened helps to find it.",
    });
  }
}

/** The engine behind `vite dev` and `lunora dev`. */
export class Engine {
  #inner;

  constructor(inner) {
    this.#inner = inner;
  }

  /** Starts it; `onEvent` is called with each event until `close` resolves. */
  static async start(options, onEvent) {
    const inner = construct("Engine", options, onEvent);
    settle(await inner.start());
    return new Engine(inner);
  }

  /** Answers a request that came as an event. */
  respond(request, answer) {
    settle(this.#inner.respond(request, JSON.stringify(answer)));
  }

  /** Reads everything again, as if each file had been saved. */
  async refresh() {
    settle(await this.#inner.refresh());
  }

  /** Plays chaos from the first step of a seed on; `null` ends it. */
  async setChaos(seed) {
    settle(await this.#inner.setChaos(JSON.stringify(seed)));
  }

  /** Ends workerd and the watcher. Safe to call twice. */
  async close() {
    settle(await this.#inner.close());
  }
}

/** The server behind `lunora start`. */
export class Server {
  #inner;

  constructor(inner) {
    this.#inner = inner;
  }

  /** Serves a build; resolves when it answers. `onEvent` is called with each event until `close` resolves. */
  static async start(options, onEvent) {
    const inner = construct("Server", options, onEvent);
    settle(await inner.start());
    return new Server(inner);
  }

  /** Lets requests under way end, for `limit` milliseconds at most. Resolves with whether all of them did. */
  async close(limit) {
    return settle(await this.#inner.close(limit));
  }
}
