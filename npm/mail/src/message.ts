/** A mail address with an optional name: `"ada@example.com"`, `"Ada <ada@example.com>"` or the object. */
export type AddressInput = string | Mailbox;

/** A checked address. */
export interface Mailbox {
  readonly address: string;
  /** As a person reads it; may hold any printable text, commas and quotes too. */
  readonly name?: string;
}

/** A file that goes along, as an app gives it. */
export interface AttachmentInput {
  /** The name without a path. */
  readonly filename: string;
  /** Bytes, or text that is sent as UTF-8. */
  readonly content: string | Uint8Array | ArrayBuffer;
  /** `type/subtype`; `application/octet-stream` when left out. */
  readonly contentType?: string;
  /** Makes it an inline part that the HTML names as `cid:…`. */
  readonly contentId?: string;
}

/** What `mailer.send` takes. At least one of `text` and `html`, at least one recipient. */
export interface MailMessage {
  readonly to: AddressInput | readonly AddressInput[];
  readonly cc?: AddressInput | readonly AddressInput[];
  readonly bcc?: AddressInput | readonly AddressInput[];
  /** The mailer's own `from` when left out. */
  readonly from?: AddressInput;
  readonly replyTo?: AddressInput | readonly AddressInput[];
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
  /** Further headers, for example `List-Unsubscribe` or `In-Reply-To`; none that the fields above make. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly attachments?: readonly AttachmentInput[];
}

/** A checked file. */
export interface Attachment {
  readonly filename: string;
  readonly content: Uint8Array;
  readonly contentType: string;
  readonly contentId?: string;
}

/** A checked mail, as transports get it. */
export interface Mail {
  readonly from: Mailbox;
  readonly to: readonly Mailbox[];
  readonly cc: readonly Mailbox[];
  readonly bcc: readonly Mailbox[];
  readonly replyTo: readonly Mailbox[];
  readonly subject: string;
  readonly html?: string;
  readonly text?: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly attachments: readonly Attachment[];
}

/** What became of a mail. */
export interface SentMail {
  /** As the provider names it; `uncaptured` when the development inbox could not be reached. */
  readonly id: string;
}

/** What takes mails away. Gets only what was checked; throws when the mail did not leave. */
export interface MailTransport {
  send(mail: Mail): Promise<SentMail>;
}
