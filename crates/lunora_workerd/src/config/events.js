// Raises events that no request can, for whoever holds the socket this listens on. It is never the public one.

async function scheduled(request, { WORKER }) {
  const { cron, scheduledTime } = await request.json();
  return WORKER.scheduled({ cron, scheduledTime: new Date(scheduledTime) });
}

/** Milliseconds for calls back that the handler did not wait for. */
const SETTLED_AFTER = 20;

const bytesOf = async (raw) => new Uint8Array(await new Response(raw).arrayBuffer());

function base64(bytes) {
  let text = "";
  for (let start = 0; start < bytes.length; start += 32_768)
    text += String.fromCharCode(...bytes.subarray(start, start + 32_768));
  return btoa(text);
}

const base64Of = (content) =>
  // Text is base64 already, as the platform has it.
  typeof content === "string" ? content
  : base64(content instanceof ArrayBuffer ? new Uint8Array(content) : new Uint8Array(content.buffer, content.byteOffset, content.byteLength));

/** A reply that is not a raw message: to the sender, in the thread of the mail. */
function described({ from, subject, text, html, headers, attachments } = {}, mail) {
  if (from === undefined) throw new Error("a reply is an `EmailMessage`, or has `from`, `subject` and `text` or `html`");
  const id = mail.headers.get("message-id");
  const earlier = mail.headers.get("references");
  const thread = id === null ? {} : { "In-Reply-To": id, References: earlier === null ? id : `${earlier} ${id}` };
  const files = (attachments ?? []).map(({ filename, type, content, contentId, disposition }) => ({
    name: filename,
    type,
    content: base64Of(content),
    contentId: disposition === "inline" ? contentId : undefined,
  }));
  return {
    from: typeof from === "string" ? from : from.email,
    to: mail.from,
    described: { from, to: mail.from, subject, text, html, headers: { ...headers, ...thread }, attachments: files },
  };
}

/** A simulated mail: the body is its headers as JSON, `split` bytes, and the raw message; the query has the envelope. */
async function email(request, { WORKER }) {
  const { searchParams } = new URL(request.url);
  const [from, to] = [searchParams.get("from"), searchParams.get("to")];
  const body = new Uint8Array(await request.arrayBuffer());
  const split = Number(searchParams.get("split"));
  const raw = body.slice(split);
  const headers = new Headers();
  for (const [name, value] of JSON.parse(new TextDecoder().decode(body.subarray(0, split)))) {
    try {
      headers.append(name, value);
    } catch {
      // Mail may have headers that HTTP cannot carry; they are in the raw message.
    }
  }
  const told = { reason: undefined, forwards: [], replies: [] };
  const message = {
    from,
    to,
    headers,
    raw: new Response(raw).body,
    rawSize: raw.length,
    setReject(reason) {
      told.reason = String(reason);
    },
    async forward(recipient, added) {
      told.forwards.push({ to: String(recipient), headers: added === undefined || added === null ? [] : [...added] });
      return { messageId: headers.get("message-id") ?? "" };
    },
    async reply(answer) {
      if (told.replies.length > 0) throw new Error("a mail is replied to once");
      if (answer?.raw === undefined) {
        told.replies.push(described(answer, message));
        return { messageId: "" };
      }
      if (answer.to !== from) throw new Error("a reply goes to the sender of the mail, and to nobody else");
      told.replies.push({ from: answer.from, to: answer.to, raw: base64(await bytesOf(answer.raw)) });
      return { messageId: "" };
    },
  };
  try {
    await WORKER.email(message);
    // `setReject` is not waited for by handlers: it may still be on its way when they have ended.
    await scheduler.wait(SETTLED_AFTER);
  } catch (error) {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    // What workerd says of a worker that has no such method.
    const isMissing = /does not implement the method "email"/.test(text);
    return { ...told, outcome: isMissing ? "missing" : "failed", reason: text };
  }
  return { ...told, outcome: told.reason === undefined ? "accepted" : "rejected" };
}

export default {
  async fetch(request, env) {
    const raise = new URL(request.url).pathname === "/email" ? email : scheduled;
    return Response.json(await raise(request, env));
  },
};
