const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"] as const;

/** Bytes in binary units: `812 B`, `1.4 MiB`. */
export function bytes(amount: number): string {
  let value = amount;
  let unit = 0;
  while (value >= 1024 && unit + 1 < UNITS.length) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${UNITS[unit] ?? ""}`;
}

/** A duration: `0.4 ms`, `38 ms`, `1.2 s`, `3 min`, `5 h`, `2 d`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${Math.round(milliseconds * 10) / 10} ms`;
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Math.round(seconds * 10) / 10} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** How far a moment is from now: `just now`, `4 s ago`, `in 3 min`. */
export function distance(at: number, now: number): string {
  const difference = now - at;
  if (Math.abs(difference) < 1000) return "just now";
  return difference > 0 ? `${duration(difference)} ago` : `in ${duration(-difference)}`;
}

const two = (value: number): string => String(value).padStart(2, "0");

/** The time of a day with milliseconds, local: `14:03:22.041`. */
export function clock(at: number): string {
  const date = new Date(at);
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

/** Groups of three digits: `1,000,000`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 row`, `1,204 rows`. */
export function plural(value: number, one: string, many: string = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}
