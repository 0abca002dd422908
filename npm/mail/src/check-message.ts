import { parseAddress, parseAddresses } from "./address.ts";
import type { Attachment, AttachmentInput, Mail, Mailbox, MailMessage } from "./message.ts";
import { headerText, invalidMail, wellFormed } from "./text.ts";

/** As many as the providers take. */
const RECIPIENTS = 50;
const HEADERS = 50;
const ATTACHMENTS = 100;
/** Everything together, bytes. */
const SIZE = 25 * 1024 * 1024;
/** A line of a header. */
const HEADER_LENGTH = 998;
const FILENAME_LENGTH = 255;

const HEADER_NAME = /^[A-Za-z\d][A-Za-z\d_-]{0,75}$/;
/** Made of other fields, by the transport, or by servers on the way. Given by hand they would add recipients or forge. */
const OWN_HEADERS =
  /^(?:to|cc|bcc|from|sender|reply-to|subject|date|message-id|return-path|received|mime-version|content-.*|resent-.*|arc-.*|dkim-.*|authentication-results|delivered-to)$/i;
const CONTENT_TYPE = /^[a-z\d][\w!#$&^.+-]{0,126}\/[a-z\d][\w!#$&^.+-]{0,126}$/i;
const CONTENT_ID = /^[\w.+@-]{1,200}$/;

const encoder = new TextEncoder();

/**
 * Everything that can be wrong with a mail, found before anything of it leaves.
 *
 * @throws LunoraError `MAIL_HEADER_INJECTION` or `MAIL_INVALID`.
 */
export function checkMessage(message: MailMessage, from: Mailbox): Mail {
  if (typeof message !== "object" || message === null) throw invalidMail("a mail is an object of its fields");
  const { html, text } = message;
  const [to, cc, bcc] = [
    parseAddresses(message.to, "to"),
    parseAddresses(message.cc, "cc"),
    parseAddresses(message.bcc, "bcc"),
  ];
  const count = to.length + cc.length + bcc.length;
  if (to.length === 0) throw invalidMail("the mail has nobody in `to`");
  if (count > RECIPIENTS) throw invalidMail(`the mail has ${count} recipients; ${RECIPIENTS} are allowed`);
  const subject = headerText(message.subject, "`subject`", HEADER_LENGTH);
  if (subject.trim() === "") throw invalidMail("the mail has no `subject`");
  const mail: Mail = {
    from: message.from === undefined ? from : parseAddress(message.from, "from"),
    to,
    cc,
    bcc,
    replyTo: parseAddresses(message.replyTo, "replyTo"),
    subject,
    ...(html === undefined ? {} : { html: body(html, "html") }),
    ...(text === undefined ? {} : { text: body(text, "text") }),
    headers: checkHeaders(message.headers),
    attachments: checkAttachments(message.attachments),
  };
  if (mail.html === undefined && mail.text === undefined) throw invalidMail("the mail has neither `text` nor `html`");
  const size = mail.attachments.reduce(
    (sum, { content }) => sum + content.length,
    bytesOf(mail.html) + bytesOf(mail.text),
  );
  if (size > SIZE) throw invalidMail(`the mail has ${size} bytes; ${SIZE} are allowed`);
  return mail;
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : encoder.encode(text).length;
}

function body(value: unknown, what: string): string {
  if (typeof value !== "string") throw invalidMail(`\`${what}\` is ${typeof value}, not a text`);
  return wellFormed(value, `\`${what}\``);
}

function checkHeaders(headers: unknown): [string, string][] {
  if (headers === undefined) return [];
  if (typeof headers !== "object" || headers === null) throw invalidMail("`headers` is no object");
  const entries = Object.entries(headers);
  if (entries.length > HEADERS) throw invalidMail(`the mail has ${entries.length} headers; ${HEADERS} are allowed`);
  const seen = new Set<string>();
  return entries.map(([name, value]) => {
    if (!HEADER_NAME.test(headerText(name, "the name of a header", HEADER_LENGTH)))
      throw invalidMail("the name of a header is letters, digits, `-` and `_`, at most 76");
    if (OWN_HEADERS.test(name))
      throw invalidMail(`the header \`${name}\` is made by the mailer: use the mail's fields`);
    if (seen.has(name.toLowerCase())) throw invalidMail(`the header \`${name}\` is there twice`);
    seen.add(name.toLowerCase());
    return [name, headerText(value, `the header \`${name}\``, HEADER_LENGTH)];
  });
}

function checkAttachments(attachments: readonly AttachmentInput[] | undefined): Attachment[] {
  if (attachments === undefined) return [];
  if (!Array.isArray(attachments)) throw invalidMail("`attachments` is no array");
  if (attachments.length > ATTACHMENTS)
    throw invalidMail(`the mail has ${attachments.length} attachments; ${ATTACHMENTS} are allowed`);
  return attachments.map(checkAttachment);
}

function checkAttachment(attachment: AttachmentInput): Attachment {
  if (typeof attachment !== "object" || attachment === null) throw invalidMail("an attachment is an object");
  const filename = headerText(attachment.filename, "the name of an attachment", FILENAME_LENGTH);
  if (filename.trim() === "" || /[/\\]/.test(filename))
    throw invalidMail("the name of an attachment is a path or empty");
  const contentType = headerText(
    attachment.contentType ?? "application/octet-stream",
    "the type of an attachment",
    HEADER_LENGTH,
  );
  if (!CONTENT_TYPE.test(contentType)) throw invalidMail("the type of an attachment is no `type/subtype`");
  const { contentId } = attachment;
  if (contentId !== undefined && !CONTENT_ID.test(headerText(contentId, "`contentId`", HEADER_LENGTH)))
    throw invalidMail("`contentId` is letters, digits and `._+@-`, without `<` and `>`");
  return {
    filename,
    content: contentOf(attachment.content),
    contentType,
    ...(contentId === undefined ? {} : { contentId }),
  };
}

function contentOf(content: unknown): Uint8Array {
  if (typeof content === "string") return encoder.encode(wellFormed(content, "an attachment"));
  if (content instanceof Uint8Array) return content;
  if (content instanceof ArrayBuffer) return new Uint8Array(content);
  throw invalidMail("the content of an attachment is neither bytes nor a text");
}
