/** Ascending or descending. */
export type MergeDirection = "asc" | "desc";

/** How the results of a fan-out become one. */
export type FanOutMerge =
  /** One array after the other, sorted when `by` is given. The default. */
  | { readonly kind: "concat"; readonly by?: string | null; readonly direction?: MergeDirection | null }
  /** The best `k` rows over all shards. */
  | { readonly kind: "topK"; readonly by: string; readonly k: number; readonly direction: MergeDirection }
  /** The first result that is neither `null` nor `undefined`, in shard order. */
  | { readonly kind: "first" }
  /** Sum of numbers or bigints. */
  | { readonly kind: "sum" }
  | { readonly kind: "min" }
  | { readonly kind: "max" }
  /** Rows grouped by a field, another field reduced within each group. */
  | {
      readonly kind: "groupBy";
      readonly by: string;
      readonly value: string;
      readonly operation: "sum" | "min" | "max" | "count";
    };

/** Where a function runs, decided once when code is generated. */
export type Address =
  /** The `__root__` shard. */
  | { readonly kind: "root" }
  /** The shard named by the value of an argument. */
  | { readonly kind: "argument"; readonly argument: string; readonly field: string }
  /** The shard carried inside an id argument. */
  | { readonly kind: "id"; readonly argument: string; readonly table: string; readonly field: string }
  /** Every known shard, results merged. */
  | { readonly kind: "fanOut"; readonly field: string; readonly merge: FanOutMerge }
  /** The Worker itself: actions reach no shard directly. */
  | { readonly kind: "worker" };
