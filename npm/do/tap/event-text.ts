import type { ObservedChange, ObservedEvent } from "../../runtime/src/observed-event.ts";
import { ARGS_LENGTH, cut, IMAGE_LENGTH, lengthOf, withWholeCharacters } from "./bounded-text.ts";
import type { Told } from "./held-events.ts";

/** What an event weighs besides its texts, and one thing in a list of it. */
const EVENT_WEIGHT = 300;
const ITEM_WEIGHT = 100;

function isShort({ before, after }: ObservedChange): boolean {
  return (before?.length ?? 0) <= IMAGE_LENGTH && (after?.length ?? 0) <= IMAGE_LENGTH;
}

function shortened(change: ObservedChange): ObservedChange & { readonly isCut?: true } {
  if (isShort(change)) return change;
  const { before, after } = change;
  return {
    ...change,
    ...(before === undefined ? {} : { before: before.length > IMAGE_LENGTH ? cut(before, IMAGE_LENGTH) : before }),
    ...(after === undefined ? {} : { after: after.length > IMAGE_LENGTH ? cut(after, IMAGE_LENGTH) : after }),
    isCut: true,
  };
}

/** The event with what is too long in it cut. Arguments are kept as they are while they are short. */
function bounded(event: ObservedEvent): ObservedEvent {
  if (event.type === "commit")
    return event.changes.every(isShort) ? event : { ...event, changes: event.changes.map(shortened) };
  if (event.type !== "call" && event.type !== "subscription") return event;
  if (event.args === undefined || lengthOf(event.args, ARGS_LENGTH) <= ARGS_LENGTH) return event;
  const shorter = { ...event, args: new CutArgs(event.args), isCut: true };
  return shorter;
}

/** The beginning of the text of arguments. */
class CutArgs {
  readonly text: string;

  constructor(args: unknown) {
    this.text = cut(JSON.stringify(args), ARGS_LENGTH);
  }
}

function weightOf(event: ObservedEvent): number {
  switch (event.type) {
    case "call":
    case "subscription":
      return EVENT_WEIGHT + (event.args instanceof CutArgs ? ARGS_LENGTH : lengthOf(event.args, ARGS_LENGTH));
    case "commit":
      return event.changes.reduce(
        (sum, { before, after }) => sum + ITEM_WEIGHT + (before?.length ?? 0) + (after?.length ?? 0),
        EVENT_WEIGHT + event.calls.length * ITEM_WEIGHT,
      );
    case "poke":
      return EVENT_WEIGHT + event.subscriptions.length * ITEM_WEIGHT + event.calls.length * 16;
    case "log":
      return EVENT_WEIGHT + event.text.length + (event.stack?.length ?? 0);
    default:
      return EVENT_WEIGHT;
  }
}

/** Arguments travel as the text of their JSON. Before the first request the clock stands at nought. */
function lineOf(event: ObservedEvent, now: number): string {
  const { at, args } = event as { readonly at: number; readonly args?: unknown };
  const timed = at === 0 ? { ...event, at: now } : event;
  if (args === undefined) return withWholeCharacters(JSON.stringify(timed));
  const text = args instanceof CutArgs ? args.text : JSON.stringify(args);
  return withWholeCharacters(JSON.stringify({ ...timed, args: text }));
}

/** An event as it is held; `isOpen`: it leaves soon, and is worth writing down. */
export function toldOf(event: ObservedEvent, isOpen: boolean): Told {
  const kept = bounded(event);
  const isMark = event.type === "fault";
  if (!isOpen || event.at === 0) return { line: (now) => lineOf(kept, now), weight: weightOf(kept), events: 1, isMark };
  const line = lineOf(kept, event.at);
  return { line, weight: line.length, events: 1, isMark };
}
