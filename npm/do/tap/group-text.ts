import type { Change } from "../src/engine/commit.ts";
import { eventsOf } from "../src/engine/observing/group-watch.ts";
import type { RanCall, RanGroup } from "../src/engine/observing/group-watch.ts";
import { OBSERVED_CHANGES } from "../../runtime/src/observed-event.ts";
import { ARGS_LENGTH, cutJson, IMAGE_LENGTH, withWholeCharacters } from "./bounded-text.ts";
import type { Told } from "./held-events.ts";

/** A group as it is held. Looking through it also makes one text of its many parts, which would all be kept until it leaves. */
export function toldGroup(group: RanGroup): Told {
  const line = withWholeCharacters(groupText(group));
  return { line, weight: line.length, events: eventsOf(group) };
}

/** A group as one event of its own, when too many happen at once: that it was committed, and where the log has its changes. */
export function toldBriefly({ at, object, codes, flush: { epoch, fromSeq, changes } }: RanGroup): Told {
  const line = `${beginningOf(at, object, epoch, fromSeq)}"calls":[],"changes":[],"omitted":${changes.length},"omittedCalls":${codes.length}}`;
  return { line, weight: line.length, events: 1 };
}

/** Texts that come again and again, as JSON. */
const QUOTED = new Map<string, string>();
const MOST_QUOTED = 2_000;

/** A name as JSON: of a function, a table, somebody. */
function quoted(name: string): string {
  let text = QUOTED.get(name);
  if (text === undefined) {
    if (QUOTED.size >= MOST_QUOTED) QUOTED.clear();
    QUOTED.set(name, (text = JSON.stringify(name)));
  }
  return text;
}

/** JSON of an object is told as it is; a text in its place is its beginning. */
function argsText(args: unknown): string {
  const text = JSON.stringify(args) ?? "null";
  return text.length <= ARGS_LENGTH ? text : cutJson(text, ARGS_LENGTH);
}

function imageText(row: Change["before"]): string {
  if (row === undefined) return "null";
  return row.doc.length <= IMAGE_LENGTH ? row.doc : cutJson(row.doc, IMAGE_LENGTH);
}

/** What most calls do not have stands at the end, and is left out there. */
function callText(call: RanCall, code: string | undefined, changes: number, at: number): string {
  const { functionPath, args, identity, mutationId, jobId, place, client, observed } = call;
  const clientId = (place?.client ?? client)?.clientId;
  const start = `["${observed?.call ?? ""}",${quoted(functionPath)},${argsText(args)},${at - (observed?.since ?? at)},${changes}`;
  const userId = identity === null ? "null" : quoted(identity.userId);
  const who = clientId === undefined ? `,${userId}` : `,${userId},${quoted(clientId)}`;
  const parent = observed?.parent;
  if (code === undefined && mutationId === undefined && jobId === undefined && parent === undefined) {
    if (place === undefined) return `${start}${who}]`;
    return `${start}${who},${JSON.stringify(place.clientSeq) ?? "null"}]`;
  }
  const rest = [
    place?.clientSeq ?? null,
    code ?? null,
    mutationId ?? null,
    jobId === undefined ? null : "job",
    parent ?? null,
  ];
  return `${start}${clientId === undefined ? `${who},null` : who},${JSON.stringify(rest).slice(1)}`;
}

function changeText({ table, id, before, after }: Change): string {
  return `[${quoted(table.name)},${JSON.stringify(id)},${imageText(before)},${imageText(after)}]`;
}

function beginningOf(at: number, object: string, epoch: string, fromSeq: number): string {
  return `{"type":"group","at":${at},"object":${quoted(object)},"epoch":${quoted(epoch)},"fromSeq":${fromSeq},`;
}

/**
 * A group as one line. What its events share is written once, rows and arguments are the JSON that they are, and values
 * stand by place and not by name: a third of the text that its events would be one by one.
 */
export function groupText({ at, object, calls, codes, ends, flush }: RanGroup): string {
  const { epoch, fromSeq, changes, clients } = flush;
  let text = `${beginningOf(at, object, epoch, fromSeq)}"calls":[`;
  let before = 0;
  for (let index = 0; index < codes.length; index += 1) {
    const end = ends[index] ?? before;
    if (index > 0) text += ",";
    text += callText(calls[index] as RanCall, codes[index], end - before, at);
    before = end;
  }
  text += '],"changes":[';
  const told = Math.min(changes.length, OBSERVED_CHANGES);
  for (let index = 0; index < told; index += 1)
    text += `${index > 0 ? "," : ""}${changeText(changes[index] as Change)}`;
  text += told === changes.length ? "]" : `],"omitted":${changes.length - told}`;
  if (clients.size > 0) {
    text += ',"clients":{';
    let separator = "";
    for (const [key, lastMutationId] of clients) {
      text += `${separator}${quoted(key)}:${lastMutationId}`;
      separator = ",";
    }
    text += "}";
  }
  return `${text}}`;
}
