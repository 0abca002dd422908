/** An address as the mail writes it; nobody has checked that it is the sender's. */
export interface ParsedAddress {
  readonly address: string;
  readonly name?: string;
}

/** A file of an inbound mail. */
export interface ParsedAttachment {
  readonly filename: string | null;
  readonly contentType: string;
  readonly disposition: string | null;
  readonly contentId?: string;
  readonly content: ArrayBuffer;
}

/** What receiving servers wrote about where the mail came from, each `pass`, `fail`, `none`, … in lower case. */
export interface Authentication {
  readonly dkim: readonly string[];
  readonly spf: readonly string[];
  readonly dmarc: readonly string[];
}

/** An inbound mail, read. `from` and `to` are those of its headers, not of the envelope. */
export interface ParsedEmail {
  readonly from?: ParsedAddress;
  readonly to: readonly ParsedAddress[];
  readonly cc: readonly ParsedAddress[];
  readonly replyTo: readonly ParsedAddress[];
  readonly subject?: string;
  readonly messageId?: string;
  readonly inReplyTo?: string;
  readonly references: readonly string[];
  readonly date?: string;
  /** In their order, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly text?: string;
  readonly html?: string;
  readonly attachments: readonly ParsedAttachment[];
  readonly authentication: Authentication;
}
