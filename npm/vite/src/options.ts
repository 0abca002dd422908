/** Options of the plugin; every one has a default that fits most apps. */
export interface LunoraOptions {
  /** The folder of the schema and functions, below the project root. Default `lunora`. */
  lunoraDirectory?: string;
  /** Port of the worker itself on loopback. Default: any free one; the browser goes through Vite. */
  port?: number;
  /** Path of the workerd program. Default: the app's `workerd` package, then `PATH`. */
  workerd?: string;
  /**
   * Bundles the worker in development too, instead of loading one module for each file.
   * Slower to reload; needed only where worker code uses imports that a bundler has to handle.
   */
  bundle?: boolean;
  /**
   * The inspector of `vite dev`, on an origin of its own: `false` for none, `{ port }` for a port of its own.
   * Default: any free port of 127.0.0.1 and ::1.
   */
  inspector?: boolean | { readonly port: number };
  /**
   * Lets things go wrong on purpose from the start of `vite dev` on, as this number decides: the same seed is the same run.
   * Default: nothing does, until `x` is pressed.
   */
  chaos?: number;
}
