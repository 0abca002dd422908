/** A mail that would cost more to read than it is worth. */
export interface Bomb {
  readonly name: string;
  readonly make: () => string;
  /** Of the refusal. */
  readonly message: RegExp;
}

const multipart = (boundary: string): string => `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n`;
const HEAD = "From: a@example.com\r\n";

/** Each within 25 MB, but for the first. */
export const BOMBS: readonly Bomb[] = [
  { name: "too long", make: () => `${HEAD}\r\n${"x".repeat(25_000_000)}`, message: /25000000 bytes/ },
  {
    name: "200,000 empty parts",
    make: () => `${HEAD}${multipart("b")}${"--b\r\n\r\n".repeat(200_000)}`,
    message: /parts/,
  },
  {
    name: "parts whose boundary is written in pieces",
    make: () =>
      `${HEAD}Content-Type: multipart/mixed; boundary*0=a; boundary*1=b\r\n\r\n${"--ab\r\n\r\n".repeat(2_000)}`,
    message: /parts/,
  },
  {
    name: "a tree of parts",
    make: () =>
      `${HEAD}${multipart("b")}${Array.from({ length: 60 }, (_, index) => `--b\r\n${multipart(`c${index}`)}${`--c${index}\r\n\r\n`.repeat(20)}--c${index}--\r\n`).join("")}`,
    message: /parts/,
  },
  {
    name: "parts in parts",
    make: () => HEAD + Array.from({ length: 500 }, (_, index) => `${multipart(`b${index}`)}--b${index}\r\n`).join(""),
    message: /nesting depth/,
  },
  { name: "a header without an end", make: () => `X: ${"a".repeat(1_000_000)}\r\n\r\n`, message: /header size/ },
  { name: "headers without an end", make: () => "X: a\r\n".repeat(200_000), message: /header size/ },
  {
    name: "headers of parts",
    make: () => `${HEAD}${multipart("b")}${`--b\r\nX: ${"a".repeat(10_000)}\r\n\r\n`.repeat(100)}`,
    message: /header size/,
  },
  { name: "lines without an end", make: () => `${HEAD}\r\n${"\n".repeat(2_000_000)}`, message: /lines/ },
];
