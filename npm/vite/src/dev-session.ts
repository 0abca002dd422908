import { ToolchainError } from "@lunora/native";
import type { Diagnostic, Engine, EngineOptions } from "@lunora/native";
import { startEngine } from "./engine-host.ts";
import type { EngineNotice } from "./engine-host.ts";

/** What a session has to say at the moment. */
export interface SessionState {
  /** Errors that keep the newest code from being served; empty when all is well. */
  diagnostics: readonly Diagnostic[];
  worker: { url: URL; milliseconds: number } | undefined;
  generated: { tables: number; functions: number } | undefined;
  /** Where the inspector is, with its token in the fragment and without; there may be none. */
  inspector: { url: string; origin: string } | undefined;
  /** The seed of the chaos that is played. */
  chaos: number | undefined;
}

type Listener = (notice: EngineNotice) => void;

/** A finding as the reason why a call cannot be served. */
function reasonOf(diagnostic: Diagnostic): ToolchainError {
  const { code, message, help } = diagnostic;
  return new ToolchainError({ code, message, help, diagnostics: [diagnostic], rendered: message });
}

/**
 * One engine for one project, shared by the Vite servers that follow each other when Vite restarts: the new
 * server is set up before the old one closes, and two engines cannot hold one state folder.
 */
export class DevSession {
  readonly state: SessionState = {
    diagnostics: [],
    worker: undefined,
    generated: undefined,
    inspector: undefined,
    chaos: undefined,
  };
  readonly #options: EngineOptions;
  readonly #listeners = new Set<Listener>();
  #engine: Promise<Engine>;
  #waiting: { resolve: (url: URL) => void; reject: (error: Error) => void }[] = [];
  #failure: Error | undefined;
  #retrying = false;
  #holders = 0;

  private constructor(options: EngineOptions) {
    this.#options = options;
    this.#engine = this.#start();
  }

  #start(): Promise<Engine> {
    const engine = startEngine(this.#options, (notice) => {
      // Its first words can come before `start` resolves.
      this.#started();
      this.#take(notice);
    });
    engine.then(
      () => this.#started(),
      (error: Error) => this.#fail(error),
    );
    return engine;
  }

  static readonly #sessions = new Map<string, DevSession>();

  /** The running session of the project, or a new one when there is none or its options differ. */
  static async acquire(options: EngineOptions): Promise<DevSession> {
    const running = DevSession.#sessions.get(options.root);
    if (
      running !== undefined &&
      JSON.stringify(running.#options) === JSON.stringify(options) &&
      running.#failure === undefined
    ) {
      running.#holders += 1;
      return running;
    }
    if (running !== undefined) await running.#close();
    const session = new DevSession(options);
    DevSession.#sessions.set(options.root, session);
    session.#holders = 1;
    return session;
  }

  /** The running session of the project. */
  static of(root: string): DevSession | undefined {
    return DevSession.#sessions.get(root);
  }

  /** Ends the engine when nobody else holds the session. */
  async release(): Promise<void> {
    this.#holders -= 1;
    if (this.#holders === 0) await this.#close();
  }

  /** Calls `listener` with each notice from now on. */
  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Where the worker answers; waits for the first start, and rejects when there is none to wait for. */
  workerUrl = (): Promise<URL> => {
    if (this.state.worker !== undefined) return Promise.resolve(this.state.worker.url);
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    const [first] = this.state.diagnostics;
    if (first !== undefined) return Promise.reject(reasonOf(first));
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  };

  /** Starts the engine again if it could not start; what stood in its way may be gone now. */
  retry(): void {
    if (this.#failure === undefined || this.#retrying || this.#holders === 0) return;
    this.#retrying = true;
    this.#engine = this.#start();
  }

  /** Reads everything again. */
  async refresh(): Promise<void> {
    await (await this.#engine).refresh();
  }

  /** Plays a seed from its first step; `null` ends chaos. What comes of it is a notice. */
  async setChaos(seed: number | null): Promise<void> {
    await (await this.#engine).setChaos(seed);
  }

  #take(notice: EngineNotice): void {
    if (notice.type === "ready") {
      this.state.worker = { url: new URL(notice.url), milliseconds: notice.milliseconds };
      for (const { resolve } of this.#waiting.splice(0)) resolve(this.state.worker.url);
    } else if (notice.type === "inspector") {
      this.state.inspector = { url: notice.url, origin: notice.origin };
    } else if (notice.type === "chaos") {
      this.state.chaos = notice.seed ?? undefined;
    } else if (notice.type === "generated") {
      this.state.generated = notice;
    } else if (notice.type === "recovered") {
      this.state.diagnostics = [];
    } else if (notice.type === "diagnostics") {
      this.state.diagnostics = notice.diagnostics.filter((diagnostic) => diagnostic.severity === "error");
      const [first] = this.state.diagnostics;
      if (this.state.worker === undefined && first !== undefined) {
        for (const { reject } of this.#waiting.splice(0)) reject(reasonOf(first));
      }
    }
    for (const listener of this.#listeners) listener(notice);
  }

  #started(): void {
    if (this.#failure === undefined) return;
    this.#failure = undefined;
    this.#retrying = false;
    // The engine never heard of the failure, so it cannot tell that it is over.
    this.#take({ type: "recovered" });
  }

  #fail(error: Error): void {
    const isKnown = this.#failure?.message === error.message;
    this.#failure = error;
    this.#retrying = false;
    if (isKnown) return;
    for (const { reject } of this.#waiting.splice(0)) reject(error);
    const diagnostics = error instanceof ToolchainError ? error.diagnostics : [];
    const rendered = error instanceof ToolchainError ? error.rendered : (error.stack ?? error.message);
    this.#take({ type: "diagnostics", diagnostics, rendered, serving: false });
  }

  async #close(): Promise<void> {
    if (DevSession.#sessions.get(this.#options.root) === this) DevSession.#sessions.delete(this.#options.root);
    const engine = await this.#engine.catch(() => undefined);
    await engine?.close();
    this.#failure ??= new Error("The engine was closed.");
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
