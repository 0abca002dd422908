import type { EventOf } from "./events.ts";

export interface MailSummary {
  readonly id: string;
  readonly at: number;
  readonly from: string;
  readonly to: readonly string[] | string;
  readonly subject: string;
  readonly isRead: boolean;
  readonly size: number;
  readonly attachments: number;
  readonly direction: "sent" | "inbound";
  readonly call?: string | null;
  readonly functionPath?: string | null;
  readonly region?: string | null;
}

export interface MailPage {
  readonly mails: readonly MailSummary[];
  readonly unread: number;
  readonly count: number;
}

export interface MailDetail extends MailSummary {
  readonly cc?: readonly string[] | string;
  readonly bcc?: readonly string[] | string;
  readonly replyTo?: readonly string[] | string;
  readonly headers: readonly (readonly [string, string])[];
  readonly text?: string | null;
  readonly html?: string | null;
  /** Where the sanitised page is for a frame: an address with a ticket for it alone. */
  readonly frame?: string | null;
  readonly links: readonly string[];
  readonly codes: readonly string[];
  readonly parts: readonly {
    readonly index: number;
    readonly type: string;
    readonly name?: string | null;
    readonly size: number;
    readonly contentId?: string | null;
  }[];
}

export interface InboundMail {
  readonly from: string;
  readonly to: string;
  readonly subject?: string;
  readonly text?: string;
  readonly html?: string;
}

export interface InboundOutcome {
  readonly outcome: "accepted" | "rejected" | "failed";
  readonly reason?: string;
  readonly forwarded?: readonly unknown[];
  readonly replies?: readonly unknown[];
  /** That the handler ran as. */
  readonly call?: string;
  /** Absent when the worker has not told in time that the handler ended. */
  readonly logs?: readonly EventOf<"log">[];
}
