import { Refusal, refusalOf } from "./refusal.ts";

/** Where the token comes from, and who hears that it was refused. */
export interface Access {
  token(): string | undefined;
  refused(): void;
}

/** Asks the inspector's own origin, nothing else. Every failure is a {@link Refusal}. */
export class ApiClient {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** The answer to a GET; parameters that are `undefined` or empty are left out. */
  async get<Answer>(
    path: string,
    parameters: Readonly<Record<string, string | number | undefined>> = {},
  ): Promise<Answer> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) {
      if (value !== undefined && value !== "") query.set(name, String(value));
    }
    const suffix = query.size === 0 ? "" : `?${query}`;
    return this.#json<Answer>(await this.#ask(`/api/${path}${suffix}`, {}));
  }

  async post<Answer>(path: string, body: unknown = {}): Promise<Answer> {
    const headers = { "content-type": "application/json" };
    return this.#json<Answer>(await this.#ask(`/api/${path}`, { method: "POST", headers, body: JSON.stringify(body) }));
  }

  /** The value of an operation of the worker. */
  async inspect<Value>(operation: string, argument: unknown): Promise<Value> {
    const { value } = await this.post<{ value: Value }>(`inspect/${operation}`, argument);
    return value;
  }

  /** Bytes to save. */
  async blob(path: string): Promise<Blob> {
    return (await this.#ask(`/api/${path}`, {})).blob();
  }

  async #ask(path: string, init: RequestInit): Promise<Response> {
    const headers = { ...init.headers, authorization: `Bearer ${this.#access.token() ?? ""}` };
    let response: Response;
    try {
      response = await fetch(path, { ...init, headers, credentials: "omit", cache: "no-store" });
    } catch {
      throw new Refusal("INSPECTOR_UNREACHABLE", "The inspector does not answer.", 0, "Is `vite dev` still running?");
    }
    if (response.ok) return response;
    if (response.status === 401) this.#access.refused();
    throw refusalOf(response.status, await response.json().catch(() => undefined));
  }

  async #json<Answer>(response: Response): Promise<Answer> {
    return (await response.json()) as Answer;
  }
}
