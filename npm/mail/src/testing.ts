export { extractLink } from "./testing/extract-link.ts";
export { listCapturedMail, readCapturedMail } from "./testing/inbox.ts";
export type { CapturedMail, CapturedMailSummary, InboxOptions } from "./testing/inbox.ts";
export { waitForMail } from "./testing/wait-for-mail.ts";
export type { WaitOptions } from "./testing/wait-for-mail.ts";
