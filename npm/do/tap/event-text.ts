import type { ObservedChange, ObservedEvent } from "../../runtime/src/observed-event.ts";
import { ARGS_LENGTH, cut, IMAGE_LENGTH, withWholeCharacters } from "./bounded-text.ts";
import type { Told } from "./held-events.ts";

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

function withShortImages(event: ObservedEvent): ObservedEvent {
  if (event.type !== "commit" || event.changes.every(isShort)) return event;
  return { ...event, changes: event.changes.map(shortened) };
}

/** What is too long in it is cut. Arguments travel as the text of their JSON. Before the first request the clock stands at nought. */
function lineOf(event: ObservedEvent, now: number): string {
  const { at, args } = event as { readonly at: number; readonly args?: unknown };
  const short = withShortImages(event);
  const timed = at === 0 ? { ...short, at: now } : short;
  if (args === undefined) return withWholeCharacters(JSON.stringify(timed));
  const text = JSON.stringify(args);
  const told = text.length <= ARGS_LENGTH ? { args: text } : { args: cut(text, ARGS_LENGTH), isCut: true };
  return withWholeCharacters(JSON.stringify({ ...timed, ...told }));
}

/** An event as it is held. */
export function toldOf(event: ObservedEvent): Told {
  const line = lineOf(event, event.at);
  return {
    line: event.at === 0 ? (now) => lineOf(event, now) : line,
    weight: line.length,
    events: 1,
    isMark: event.type === "fault",
  };
}
