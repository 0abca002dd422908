/** What `lunora residency --json` says. */
export interface Residency {
  readonly root?: string;
  readonly jurisdiction: string | null;
  readonly classes: readonly {
    readonly class: string;
    readonly region: string | null;
    readonly stored: readonly {
      readonly server: string;
      readonly region: string | null;
      readonly objects: number;
      readonly bytes: number;
      readonly folder: string;
      readonly reachable: boolean;
    }[];
  }[];
  readonly tables: readonly {
    readonly table: string;
    readonly tier: string;
    readonly heldBy: string;
    readonly region: string | null;
    /** Its rows on this machine. */
    readonly stored: readonly {
      readonly server: string;
      readonly region: string | null;
      /** Those that have rows of it. */
      readonly objects: number;
      readonly rows: number;
      readonly bytes: number;
      /** Whether the declaration leads there. */
      readonly reachable: boolean;
      /** Rows of a global table that an object keeps for its subscribers. */
      readonly isCopy?: boolean;
    }[];
  }[];
  /** D1 databases on this machine, which nothing pins. */
  readonly databases?: readonly {
    readonly server: string;
    readonly database: string;
    readonly file: string;
    readonly bytes: number;
    /** Rows, by table. */
    readonly tables: Readonly<Record<string, number>>;
  }[];
}
