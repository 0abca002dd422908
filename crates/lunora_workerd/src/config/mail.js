// The `send_email` bindings of development: `send()` as production has it, into the inbox instead of to people.
// In no build.
import { WorkerEntrypoint } from "cloudflare:workers";

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);

/** The address alone, of a text or of `{ email, name }`. */
const bare = (address) => {
  if (typeof address === "object" && address !== null) return String(address.email);
  const text = String(address).trim();
  return /<([^<>]+)>$/.exec(text)?.[1].trim() ?? text;
};

const base64 = (content) => {
  // Text is base64 already, as the platform has it.
  if (typeof content === "string") return content;
  const bytes = content instanceof ArrayBuffer ? new Uint8Array(content) : new Uint8Array(content.buffer, content.byteOffset, content.byteLength);
  let text = "";
  for (let start = 0; start < bytes.length; start += 32_768) text += String.fromCharCode(...bytes.subarray(start, start + 32_768));
  return btoa(text);
};

export class SendEmail extends WorkerEntrypoint {
  #check(from, recipients) {
    const { allowedSenders, destination, allowedDestinations } = this.ctx.props;
    if (allowedSenders && !allowedSenders.includes(from)) throw new Error(`email from ${from} not allowed`);
    for (const to of recipients) {
      if (destination && to !== destination) throw new Error(`email to ${to} not allowed`);
      if (allowedDestinations && !allowedDestinations.includes(to)) throw new Error(`email to ${to} not allowed`);
    }
  }

  async #post(query, type, body) {
    const answer = await this.env.INBOX.fetch(`http://inbox/mail?${query}`, { method: "POST", headers: { "content-type": type }, body });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error.message);
    return { messageId: told.messageId };
  }

  async #raw({ from, to, raw }) {
    this.#check(from, [to]);
    const bytes = new Uint8Array(await new Response(raw).arrayBuffer());
    const query = new URLSearchParams({ from, to, region: this.ctx.props.region ?? "" });
    return this.#post(query, "message/rfc822", bytes);
  }

  async send(message) {
    if (message?.raw !== undefined) return this.#raw(message);
    const { from, to, cc, bcc, replyTo, subject, text, html, headers, attachments } = message;
    const recipients = [to, cc, bcc].flatMap(list);
    this.#check(bare(from), recipients.map(bare));
    const described = {
      from,
      to: list(to),
      cc: list(cc),
      bcc: list(bcc),
      replyTo: list(replyTo),
      subject,
      text,
      html,
      headers,
      attachments: list(attachments).map(({ filename, type, content, contentId, disposition }) => ({
        name: filename,
        type,
        content: base64(content),
        contentId: disposition === "inline" ? contentId : undefined,
      })),
      region: this.ctx.props.region,
    };
    return this.#post("", "application/json", JSON.stringify(described));
  }
}

export default {};
