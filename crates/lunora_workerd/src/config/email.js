// What `import { EmailMessage } from "cloudflare:email"` gives: plain data, because only that reaches another service.
// An internal module of development: app code cannot import it by this name, and no build contains it.
function EmailMessage(from, to, raw) {
  if (new.target === undefined) throw new TypeError("Class constructor EmailMessage cannot be invoked without 'new'");
  if (from === undefined || to === undefined || raw === undefined)
    throw new TypeError("EmailMessage takes a sender, a recipient and a raw message");
  return { from: String(from), to: String(to), raw };
}

export default { EmailMessage };
