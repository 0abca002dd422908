/** Where the toolchain takes the module from. */
export const TAP: string;

/** The module's text, as the sources make it. */
export function buildTap(): Promise<string>;
