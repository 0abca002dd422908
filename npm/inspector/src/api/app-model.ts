/** A finding of codegen, drift or the advisor. */
export interface Finding {
  readonly code: string;
  readonly severity: "error" | "warning" | "info" | "hint" | string;
  readonly message: string;
  readonly help?: string | null;
  readonly labels?: readonly {
    readonly file: string;
    readonly message?: string | null;
    readonly start?: { readonly line: number; readonly column: number } | null;
    readonly frame?: string | null;
  }[];
}

export interface TableModel {
  readonly name: string;
  readonly tier: string;
  readonly shardBy?: string | null;
  /** Name to validator, as the toolchain describes it. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly indexes: Readonly<Record<string, unknown>>;
  /** Whether `.rls("required")` asks for one. */
  readonly needsPolicy: boolean;
}

export interface FunctionModel {
  readonly path: string;
  readonly kind: string;
  readonly visibility: string;
  /** Which object it runs in. */
  readonly address?: unknown;
  readonly file?: string;
  readonly line?: number | null;
  readonly input?: unknown;
}

export interface AppModel {
  readonly tables: readonly TableModel[];
  readonly functions: readonly FunctionModel[];
  readonly shapes: readonly { readonly name: string; readonly table?: string }[];
  readonly jurisdiction?: string | null;
  readonly findings: readonly Finding[];
  readonly drift: readonly Drift[];
}

/** A difference between the schema and its baseline. */
export interface Drift {
  readonly kind: string;
  readonly text: string;
  readonly isBreaking?: boolean;
}
