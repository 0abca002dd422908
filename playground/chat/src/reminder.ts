/** What `/remind 10 the tea` asks for; `undefined` for any other message. */
export function reminderOf(text: string): { readonly minutes: number; readonly body: string } | undefined {
  const found = /^\/remind (\d{1,5}) (.+)$/s.exec(text);
  return found === null ? undefined : { minutes: Number(found[1]), body: found[2] ?? "" };
}
