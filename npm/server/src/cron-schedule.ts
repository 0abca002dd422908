import { schemaError } from "./schema-error.ts";

const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

/** The methods that take options, and which. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  interval: ["minutes", "hours"],
  hourly: ["minuteUTC"],
  daily: ["hourUTC", "minuteUTC"],
  weekly: ["dayOfWeek", "hourUTC", "minuteUTC"],
  monthly: ["day", "hourUTC", "minuteUTC"],
};

function invalid(what: string): Error {
  return schemaError(`The schedule of a cron ${what}`, "Times are in UTC; `lunora codegen` names the place.");
}

/**
 * The expression that a method of `cronJobs()` with its options stands for. The toolchain computes the same from the
 * source: both are held by the cases of `tests/fixtures/crons.json`.
 */
export function cronExpression(method: keyof typeof OPTIONS & string, options: object): string {
  const values = options as Readonly<Record<string, unknown>>;
  const known = OPTIONS[method] ?? [];
  const unknown = Object.keys(values).find((name) => !known.includes(name));
  if (unknown !== undefined) throw invalid(`has no option \`${unknown}\``);
  const number = (name: string, from: number, to: number): number => {
    const value = values[name];
    if (typeof value !== "number" || !Number.isInteger(value) || value < from || value > to)
      throw invalid(`needs \`${name}\`, a whole number from ${from} to ${to}`);
    return value;
  };
  if (method === "interval") return interval(values, number);
  const minute = number("minuteUTC", 0, 59);
  if (method === "hourly") return `${minute} * * * *`;
  const time = `${minute} ${number("hourUTC", 0, 23)}`;
  if (method === "daily") return `${time} * * *`;
  if (method === "monthly") return `${time} ${number("day", 1, 31)} * *`;
  const day = values["dayOfWeek"];
  if (typeof day !== "string" || !WEEKDAYS.includes(day))
    throw invalid(`needs \`dayOfWeek\`, one of ${WEEKDAYS.join(", ")}`);
  return `${time} * * ${day.slice(0, 3).toUpperCase()}`;
}

/** Only what divides the hour or the day is an interval. */
function interval(
  values: Readonly<Record<string, unknown>>,
  number: (name: string, from: number, to: number) => number,
): string {
  if (Object.keys(values).length !== 1) throw invalid("needs either `minutes` or `hours`");
  if ("minutes" in values) {
    const minutes = number("minutes", 1, 59);
    if (60 % minutes !== 0) throw invalid(`has ${minutes} minutes, which do not divide an hour`);
    return minutes === 1 ? "* * * * *" : `*/${minutes} * * * *`;
  }
  const hours = number("hours", 1, 23);
  if (24 % hours !== 0) throw invalid(`has ${hours} hours, which do not divide a day`);
  return hours === 1 ? "0 * * * *" : `0 */${hours} * * *`;
}
