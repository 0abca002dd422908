// Gives simulated mails to the app's `email()`, from inside of the app's isolate: so what the handler does with a mail is
// known when it ends, as in production, and its log lines belong to a call. A module of development; no build contains it.
import { WorkerEntrypoint } from "cloudflare:workers";

/** How the timeline says that a mail came in and what became of it. */
const PATH = "email()";
const STATUS = { accepted: 200, rejected: 550, failed: 500 };

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

function headersOf(lines) {
  const headers = new Headers();
  for (const [name, value] of lines) {
    try {
      headers.append(name, value);
    } catch {
      // Mail may have headers that HTTP cannot carry; they are in the raw message.
    }
  }
  return headers;
}

/** A mail: the body is its headers as JSON, `split` bytes, and the raw message; the query has the envelope. */
async function messageOf(request, told) {
  const { searchParams } = new URL(request.url);
  const [from, to] = [searchParams.get("from"), searchParams.get("to")];
  const body = new Uint8Array(await request.arrayBuffer());
  const split = Number(searchParams.get("split"));
  const raw = body.slice(split);
  const headers = headersOf(JSON.parse(new TextDecoder().decode(body.subarray(0, split))));
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
  return message;
}

/** Runs the handler, and says what it did. */
async function outcomeOf(told, run) {
  try {
    await run();
    return told.reason === undefined ? "accepted" : "rejected";
  } catch (error) {
    console.error(error);
    told.reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    return "failed";
  }
}

/** The entry point that takes the mails of a worker, whose default export is an object or a class. */
export const receiver = (worker) =>
  class extends WorkerEntrypoint {
    async fetch(request) {
      const told = { reason: undefined, forwards: [], replies: [] };
      const handlers = typeof worker === "function" ? new worker(this.ctx, this.env) : worker;
      if (typeof handlers?.email !== "function") return Response.json({ outcome: "missing", ...told });
      const message = await messageOf(request, told);
      const take = () => outcomeOf(told, () => handlers.email(message, this.env, this.ctx));
      const observer = globalThis[Symbol.for("lunora.observer")];
      if (observer === undefined) return Response.json({ outcome: await take(), ...told });
      const call = observer.nextId();
      const since = Date.now();
      const outcome = await observer.within({ call, functionPath: PATH }, take);
      const at = Date.now();
      // The last that is told of the mail: who has heard it has heard all.
      observer.tell({ type: "request", at, call, path: PATH, userId: null, status: STATUS[outcome], ms: at - since });
      return Response.json({ outcome, call, ...told });
    }
  };
