import type { MailMessage } from "../src/message.ts";

/** A mail that must not leave, and why. */
export interface HostileMessage {
  readonly name: string;
  readonly message: MailMessage;
  readonly code: "MAIL_HEADER_INJECTION" | "MAIL_INVALID";
}

const SOUND = { to: "ada@example.com", subject: "Hello", text: "Hello" };

/** What ends a header or begins another, in every form that some server reads. */
const BREAKS = ["\r\n", "\n", "\r", "\0", "\u0085", "\u2028", "\u2029", "\u000B", "\u000C", "\u007F", "\t\n "];
const PAYLOAD = "Bcc: eve@evil.example";

/** Where a break can be put: each makes a message of a text that holds one. */
const PLACES: Record<string, (text: string) => object> = {
  to: (text) => ({ to: `ada@example.com${text}` }),
  "to, in front": (text) => ({ to: `${text}ada@example.com` }),
  "to, in a list": (text) => ({ to: ["bob@example.com", `ada@example.com${text}`] }),
  "a name": (text) => ({ to: { address: "ada@example.com", name: `Ada${text}` } }),
  cc: (text) => ({ cc: `ada@example.com${text}` }),
  bcc: (text) => ({ bcc: `ada@example.com${text}` }),
  from: (text) => ({ from: `Ada${text} <ada@example.com>` }),
  replyTo: (text) => ({ replyTo: `ada@example.com${text}` }),
  subject: (text) => ({ subject: `Hello${text}` }),
  "a header": (text) => ({ headers: { "X-Note": `note${text}` } }),
  "a header's name": (text) => ({ headers: { [`X-Note${text}`]: "note" } }),
  "a file's name": (text) => ({ attachments: [{ filename: `a${text}.txt`, content: "" }] }),
  "a file's type": (text) => ({ attachments: [{ filename: "a.txt", content: "", contentType: `text/plain${text}` }] }),
  "a file's id": (text) => ({ attachments: [{ filename: "a.txt", content: "", contentId: `logo${text}` }] }),
};

const BROKEN: HostileMessage[] = Object.entries(PLACES).flatMap(([place, make]) =>
  BREAKS.map((text) => ({
    name: `${JSON.stringify(text)} in ${place}`,
    message: { ...SOUND, ...make(`${text}${PAYLOAD}`) },
    code: "MAIL_HEADER_INJECTION" as const,
  })),
);

const SEVERAL = [
  "ada@example.com,eve@evil.example",
  "ada@example.com, eve@evil.example",
  "ada@example.com;eve@evil.example",
  "Ada <ada@example.com>, Eve <eve@evil.example>",
  "Ada <ada@example.com> <eve@evil.example>",
  "<ada@example.com,eve@evil.example>",
  "ada@example.com>",
  "<ada@example.com",
  "group: ada@example.com, eve@evil.example;",
  "ada@example.com\u0000,eve@evil.example",
];

const NO_ADDRESS: unknown[] = [
  "",
  " ",
  "ada",
  "@example.com",
  "ada@",
  "ada@example",
  "ada@@example.com",
  "ada@exa mple.com",
  "a da@example.com",
  "ada@.example.com",
  "ada@example..com",
  "ada@-example.com",
  "ada@example-.com",
  "ada@example.com.",
  ".ada@example.com",
  "ada.@example.com",
  "a..da@example.com",
  '"ada eve"@example.com',
  "ada@[127.0.0.1]",
  "ada@127.0.0.1",
  "ada(comment)@example.com",
  "ada@example.com (comment)",
  "ädä@example.com",
  "ada@exämple.com",
  "ada@example.com?bcc=eve@evil.example",
  "ada%0Abcc:eve@example.com\\",
  `${"a".repeat(65)}@example.com`,
  `ada@${"a".repeat(64)}.com`,
  `ada@${"a.".repeat(130)}com`,
  "mailto:ada@example.com",
  "\u202Eada@example.com",
  "ada@example.com\uD800",
  "аda@example.com",
  "ada@example.com\u200B",
  42,
  null,
  true,
  {},
  { address: 42 },
  { email: "ada@example.com" },
  ["ada@example.com", ["eve@evil.example"]],
  { address: "ada@example.com", name: 42 },
  { toString: () => "ada@example.com", valueOf: 1 },
];

const OWN = [
  "To",
  "bcc",
  "BCC",
  "Cc",
  "From",
  "Sender",
  "Reply-To",
  "Subject",
  "Date",
  "Message-ID",
  "Return-Path",
  "MIME-Version",
  "Content-Type",
  "content-transfer-encoding",
  "DKIM-Signature",
  "ARC-Seal",
  "Authentication-Results",
  "Resent-Bcc",
  "Received",
  "Bcc:",
  "X Note",
  "X-Note: a",
  "",
  "Bcс",
  "__proto__ ",
];

const OTHERS: [string, object][] = [
  ["nobody", { to: [] }],
  ["nothing to say", { text: undefined }],
  ["a body that is an object", { html: { toString: () => "x" } }],
  ["half a character in the subject", { subject: "\uD83D" }],
  ["half a character in the body", { text: "\uDC00" }],
  ["an empty subject", { subject: "  " }],
  ["a subject that is none", { subject: ["Hello"] }],
  ["too long a subject", { subject: "x".repeat(999) }],
  ["51 recipients", { to: Array.from({ length: 51 }, (_, index) => `ada${index}@example.com`) }],
  ["recipients over all fields", { cc: Array.from({ length: 50 }, (_, index) => `ada${index}@example.com`) }],
  ["a path", { attachments: [{ filename: "../../etc/passwd", content: "" }] }],
  ["a path of Windows", { attachments: [{ filename: "C:\\boot.ini", content: "" }] }],
  ["no name", { attachments: [{ filename: "", content: "" }] }],
  ["a type with parameters", { attachments: [{ filename: "a", content: "", contentType: "text/plain; name=x" }] }],
  ["a type that is none", { attachments: [{ filename: "a", content: "", contentType: "text" }] }],
  ["an id in brackets", { attachments: [{ filename: "a", content: "", contentId: "<logo>" }] }],
  ["content that is none", { attachments: [{ filename: "a", content: 42 }] }],
  ["attachments that are none", { attachments: "a.txt" }],
  ["headers that are none", { headers: "X-Note: a" }],
  ["one header twice", { headers: { "X-Note": "a", "x-note": "b" } }],
  ["a header that is no text", { headers: { "X-Note": 42 } }],
  ["too much", { attachments: [{ filename: "a", content: new Uint8Array(25 * 1024 * 1024) }] }],
];

/** Everything that is refused before it leaves. */
export const HOSTILE_MESSAGES: readonly HostileMessage[] = [
  {
    name: "an address in an address",
    message: { ...SOUND, to: { address: "Ada <ada@example.com>" } },
    code: "MAIL_HEADER_INJECTION",
  },
  ...BROKEN,
  ...SEVERAL.flatMap((to) =>
    ["to", "cc", "bcc", "replyTo", "from"].map((field) => ({
      name: `${JSON.stringify(to)} as ${field}`,
      message: { ...SOUND, [field]: to } as MailMessage,
      code: "MAIL_HEADER_INJECTION" as const,
    })),
  ),
  ...NO_ADDRESS.map((to) => ({
    name: `${JSON.stringify(to)} as an address`,
    message: { ...SOUND, to } as MailMessage,
    code: "MAIL_INVALID" as const,
  })),
  ...OWN.map((name) => ({
    name: `the header ${JSON.stringify(name)}`,
    message: { ...SOUND, headers: { [name]: "eve@evil.example" } },
    code: "MAIL_INVALID" as const,
  })),
  ...OTHERS.map(([name, fields]) => ({
    name,
    message: { ...SOUND, ...fields } as MailMessage,
    code: "MAIL_INVALID" as const,
  })),
];
