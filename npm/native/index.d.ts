/** A place in a source file. Offsets and columns count UTF-16 code units; lines and columns start at 1. */
export interface Position {
  offset: number;
  line: number;
  column: number;
}

/** A place that a diagnostic points at. */
export interface DiagnosticLabel {
  /** Project-relative, with `/`. */
  file: string;
  message: string | null;
  /** `null`, like the other two, when the text of the file is not at hand. */
  start: Position | null;
  end: Position | null;
  /** The lines around it, with the place marked. */
  frame: string | null;
}

/** One finding of the toolchain. */
export interface Diagnostic {
  code: string;
  severity: "error" | "warning" | "advice";
  message: string;
  help: string | null;
  labels: DiagnosticLabel[];
}

/** An error of the toolchain: a stable code, and the diagnostics it is made of. */
export declare class ToolchainError extends Error {
  constructor(parts: {
    code: string;
    message: string;
    help?: string | null;
    diagnostics?: Diagnostic[];
    rendered?: string;
  });
  readonly code: string;
  readonly help: string | null | undefined;
  readonly diagnostics: Diagnostic[];
  /** The text for a terminal. */
  readonly rendered: string;
}

/** Which project. */
export interface ProjectOptions {
  /** A folder in or below the project. */
  root: string;
  /** The folder of the schema and functions, below the project; `lunora` by default. */
  lunoraDirectory?: string;
  /** Whether rendered texts carry ANSI colours. */
  color?: boolean;
}

/** What code generation did. */
export interface CodegenReport {
  root: string;
  /** Files of `_generated` that changed, project-relative. */
  written: string[];
  removed: string[];
  unchanged: number;
  tables: number;
  functions: number;
  /** Wall time of reading, linking and writing. */
  milliseconds: number;
  diagnostics: Diagnostic[];
  /** Warnings and advice as terminal text; empty when there are none. */
  rendered: string;
}

/** What a production build starts from. */
export interface BuildPreparation extends CodegenReport {
  /** The worker's entry, absolute. */
  entry: string;
  /** The project's wrangler configuration, absolute. */
  wranglerFile: string;
  /** What was added to it, in words; empty when it was up to date. */
  wranglerChanges: string[];
  /** The text of `lunora.json` beside the worker, so that `lunora start` needs no source. */
  manifest: string;
}

/** What clients import in the place of `mutators.ts`. */
export interface ClientModule {
  /** An ES module of JavaScript. */
  code: string;
}

/** Options of the development engine. */
export interface EngineOptions extends ProjectOptions {
  /** Port of the worker on loopback; 0 or nothing picks a free one. */
  port?: number;
  /** Takes the next free port when `port` is busy, instead of failing. */
  nextFreePort?: boolean;
  /** Hosts, with port, under which browsers reach the server that forwards to this one. */
  allowedHosts?: string[];
  /** Path of the workerd program. */
  workerd?: string;
  /** Aliases of the bundler, for imports of app modules. */
  alias?: { find: string; replacement: string }[];
  /** Watch and generate only. */
  worker?: boolean;
  /** Bundle the worker instead of loading one module for each file. */
  bundle?: boolean;
  /** Whether there is an inspector, and its port of both loopback addresses; on any free port by default. */
  inspector?: boolean | { port: number };
  /** The seed of chaos that is played from the first worker on; needs the inspector. */
  chaos?: number;
  /** How the holder of the state lock is named to others. */
  command?: string;
}

/** What the engine tells. `request` events want an answer through `respond`. */
export type EngineEvent =
  | {
      type: "dependencies";
      request: number;
      entries: { specifier: string; file: string }[];
      outputDirectory: string;
      root: string;
    }
  | { type: "bundle"; request: number; entry: string; outputFile: string; root: string; reason: string | null }
  | { type: "generated"; written: string[]; removed: string[]; tables: number; functions: number; milliseconds: number }
  | { type: "diagnostics"; diagnostics: Diagnostic[]; rendered: string; serving: boolean }
  | { type: "recovered" }
  | { type: "ready"; url: string; milliseconds: number; generation: number }
  /** The inspector answers: `url` has its token in the fragment, `origin` has none. */
  | { type: "inspector"; url: string; origin: string }
  /** Chaos is played from the first step of a seed on, or, for `null`, no longer: whoever wanted it. */
  | { type: "chaos"; seed: number | null }
  | { type: "log"; level: "debug" | "info" | "warn" | "error"; message: string; rendered: string }
  | { type: "notice"; message: string };

/** What a bundling request is answered with, once the files are written. */
export interface HostAnswer {
  /** For `dependencies`: what each specifier exports. */
  entries?: Record<string, { exports: string[] }>;
  /** Every file that went in; a change of one makes the result stale. */
  inputs?: string[];
  /** What went wrong, instead of the rest. */
  error?: string;
}

/** The engine behind `vite dev` and `lunora dev`. */
export declare class Engine {
  private constructor();
  static start(options: EngineOptions, onEvent: (event: EngineEvent) => void): Promise<Engine>;
  respond(request: number, answer: HostAnswer): void;
  refresh(): Promise<void>;
  /** Plays a seed, a whole number below 2^53, in the place of what is played; `null` ends chaos. */
  setChaos(seed: number | null): Promise<void>;
  close(): Promise<void>;
}

/** Options of the server behind `lunora start`. */
export interface ServeOptions extends ProjectOptions {
  /** The address to listen on; loopback when it is not stated. */
  host?: string | null;
  /** 0 picks a free one. */
  port: number;
  /** The folder of the data. */
  state?: string | null;
  workerd?: string | null;
  allowedHosts?: string[];
  /** Names of secrets that are taken from the environment and must be there. */
  secrets?: string[];
  allowSchemaDrift?: boolean;
  strandData?: boolean;
  /** How far the clock that rings crons is ahead of the machine's, milliseconds: for tests, which have no minute to wait. */
  clockOffset?: number;
}

/** The server behind `lunora start`. */
export declare class Server {
  private constructor();
  static start(
    options: ServeOptions,
    onEvent: (event: Exclude<EngineEvent, { request: number }>) => void,
  ): Promise<Server>;
  close(limit: number): Promise<boolean>;
}

/** What is left to do after the native part of a command. */
export type CommandOutcome =
  | { kind: "done"; exitCode: number; stdout: string; stderr: string }
  | {
      kind: "dev";
      root: string;
      lunoraDirectory: string;
      port: number | null;
      host: string | null;
      viteConfig: string | null;
      workerd: string | null;
      bundle: boolean;
      chaos: number | null;
      json: boolean;
    }
  | {
      kind: "deploy";
      /** For the terminal, before anything else. */
      stdout: string;
      stderr: string;
      root: string;
      lunoraDirectory: string;
      viteConfig: string | null;
      environment: string | null;
      dryRun: boolean;
      json: boolean;
      /** What the gates found, for the one JSON document. */
      report: Record<string, unknown>;
      /** The baseline once it is deployed. */
      snapshot: string;
      /** The receipt that covers a change of the jurisdiction. */
      receipt: string | null;
    }
  | {
      kind: "residency";
      /** Where data is, but for what servers know. */
      report: Record<string, unknown>;
      /** The same for people. */
      stdout: string;
      /** Whom to ask for the rest. */
      servers: string[];
      json: boolean;
    }
  | {
      kind: "start";
      options: ServeOptions;
      /** Milliseconds that requests under way get to end. */
      drain: number;
      json: boolean;
    };

export declare const version: string;
export declare function codegen(options: ProjectOptions & { check?: boolean }): Promise<CodegenReport>;
export declare function prepareBuild(
  options: ProjectOptions & { workerFile: string; clientDirectory?: string },
): Promise<BuildPreparation>;
/**
 * Leaves of `mutators.ts` the `apply` of each mutator and what that uses. `path` is for messages; `source` is the
 * text. Rejects with `CLIENT_REACHES_SERVER` when what is left belongs to the server.
 */
export declare function clientModule(options: { path: string; source: string; color?: boolean }): Promise<ClientModule>;
/** Makes what was deployed the baseline that the next deployment is compared with. */
export declare function finishRelease(options: {
  root: string;
  lunoraDirectory: string;
  snapshot: string;
  receipt: string | null;
}): Promise<{ baselineFile: string }>;
export declare function runCommandLine(options: {
  arguments: string[];
  workingDirectory: string;
  color: boolean;
  columns: number | null;
  /** Of the Node that runs it, without a `v`. */
  nodeVersion?: string;
}): Promise<CommandOutcome>;
export declare function interruptCommandLine(): boolean;
