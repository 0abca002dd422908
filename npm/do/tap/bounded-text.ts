/** Characters of what is told of arguments, of an image of a row, and of a line of the console. */
export const ARGS_LENGTH = 4_096;
export const IMAGE_LENGTH = 8_192;
export const TEXT_LENGTH = 8_192;

/** Where a text is cut so that no character is. */
function boundary(text: string, length: number): number {
  return (text.charCodeAt(length - 1) & 0xfc_00) === 0xd8_00 ? length - 1 : length;
}

/** The beginning of a text as JSON, which holds on to nothing of the rest. */
export function cutJson(text: string, length: number): string {
  return JSON.stringify(text.slice(0, boundary(text, length)));
}

/** The beginning of a text, without holding on to the rest of it. */
export function cut(text: string, length: number): string {
  return JSON.parse(cutJson(text, length)) as string;
}

const HALF_CHARACTER = /(?<!\\)((?:\\\\)*)\\ud[89a-f][\da-f]{2}/g;

/** JSON in which every character is whole: readers in other languages take no half of one, and would let go of the event. */
export function withWholeCharacters(json: string): string {
  // `JSON.stringify` writes no other `\ud…` than halves; a backslash of a text itself is two.
  return json.includes("\\ud") ? json.replaceAll(HALF_CHARACTER, "$1\\ufffd") : json;
}
