/**
 * Sizes of shards that somebody looked at, bytes, by name. The list asks for none: a question would wake each object
 * that is asked.
 */
export const sizes: Map<string, number> = new Map();
