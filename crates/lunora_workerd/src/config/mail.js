// The `send_email` bindings of development: `send()` as production has it, into the inbox instead of to people.
// An internal module of the app's own isolate, where it is known which call sends. In no build.

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

/** The call that sends, and its function, where somebody observes the app. */
const cause = () => {
  const scope = globalThis[Symbol.for("lunora.observer")]?.current();
  return scope === undefined ? {} : { call: scope.call, functionPath: scope.functionPath };
};

class SendEmail {
  #inbox;
  #rules;

  constructor({ inbox, rules }) {
    this.#inbox = inbox;
    this.#rules = rules;
  }

  #check(from, recipients) {
    const { allowedSenders, destination, allowedDestinations } = this.#rules;
    if (allowedSenders && !allowedSenders.includes(from)) throw new Error(`email from ${from} not allowed`);
    for (const to of recipients) {
      if (destination && to !== destination) throw new Error(`email to ${to} not allowed`);
      if (allowedDestinations && !allowedDestinations.includes(to)) throw new Error(`email to ${to} not allowed`);
    }
  }

  async #post(query, type, body) {
    const answer = await this.#inbox.fetch(`http://inbox/mail?${query}`, { method: "POST", headers: { "content-type": type }, body });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.error.message);
    return { messageId: told.messageId };
  }

  async #raw({ from, to, raw }) {
    const query = new URLSearchParams({ from, to, region: this.#rules.region ?? "", ...cause() });
    this.#check(from, [to]);
    const bytes = new Uint8Array(await new Response(raw).arrayBuffer());
    return this.#post(query, "message/rfc822", bytes);
  }

  async send(message) {
    if (message?.raw !== undefined) return this.#raw(message);
    const { from, to, cc, bcc, replyTo, subject, text, html, headers, attachments } = message;
    const recipients = [to, cc, bcc].flatMap(list);
    this.#check(bare(from), recipients.map(bare));
    const described = {
      ...cause(),
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
      region: this.#rules.region,
    };
    return this.#post("", "application/json", JSON.stringify(described));
  }
}

export default (inner) => new SendEmail(inner);
