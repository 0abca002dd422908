/** Where the toolchain takes the module from. */
export const TAP: string;

/** The text of the module that the toolchain embeds, from the sources. */
export function bundleTap(): Promise<string>;
