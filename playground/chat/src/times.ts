const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const date = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dated = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
const DAY = 24 * 60 * 60 * 1000;
const YEAR = 365 * DAY;

/** The time of day. */
export function timeOfDay(time: number): string {
  return clock.format(time);
}

/** Everything there is to say about a time. */
export function fullTime(time: number): string {
  return full.format(time);
}

/** Today, yesterday, or a date. */
export function dayOf(time: number, now: number = Date.now()): string {
  const days = Math.round((startOfDay(time) - startOfDay(now)) / DAY);
  if (days === 0 || days === -1) return capitalize(relative.format(days, "day"));
  return now - time > YEAR ? dated.format(time) : date.format(time);
}

export function isSameDay(one: number, other: number): boolean {
  return startOfDay(one) === startOfDay(other);
}

function startOfDay(time: number): number {
  return new Date(time).setHours(0, 0, 0, 0);
}

function capitalize(text: string): string {
  return text.charAt(0).toLocaleUpperCase() + text.slice(1);
}
