import type { Loose } from "./loose.ts";

const text = (value: Loose): string => (typeof value === "string" ? value : JSON.stringify(value));

const named = (entries: Loose): Loose =>
  Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== null && value !== undefined));

/** What an event of a group stands for, as the inspector makes it. */
export function eventsOfGroup(group: Loose): Loose[] {
  const { at, object, epoch, fromSeq, calls, changes, omitted, omittedCalls, clients } = group;
  let seq: number = fromSeq;
  const called = calls.map((call: Loose): Loose => {
    const [id, functionPath, args, ms, changed, userId, clientId, clientSeq, code, mutationId, kind, parent] = call;
    const from = seq;
    seq += changed;
    const optional = { clientId, mutationId, clientSeq, parent, isCut: typeof args === "string" ? true : undefined };
    return {
      type: "call",
      at,
      object,
      call: id,
      kind: kind ?? "mutation",
      functionPath,
      args: text(args),
      userId: userId ?? null,
      ...named(optional),
      outcome: code ?? "ok",
      ms,
      ...(changed === 0 ? {} : { fromSeq: from, toSeq: seq }),
    };
  });
  const causes = called
    .filter(({ toSeq }: Loose) => toSeq !== undefined)
    .map(({ call, functionPath, fromSeq: from, toSeq }: Loose) => ({ call, functionPath, fromSeq: from, toSeq }));
  const commit = {
    type: "commit",
    at,
    object,
    epoch,
    fromSeq,
    toSeq: fromSeq + changes.length + (omitted ?? 0),
    by: "calls",
    calls: causes,
    changes: changes.map(([table, id, before, after]: Loose, index: number) => ({
      seq: fromSeq + index + 1,
      table,
      id,
      op: after === null ? "delete" : before === null ? "insert" : "update",
      ...(before === null ? {} : { before: text(before) }),
      ...(after === null ? {} : { after: text(after) }),
      ...(typeof before === "string" || typeof after === "string" ? { isCut: true } : {}),
    })),
    ...named({ omitted, omittedCalls }),
  };
  const places = Object.entries(clients ?? {}).map(([key, lastMutationId]) => {
    const [user = "", clientId] = key.split("\u0000");
    return { userId: user === "" ? null : user.slice(user.indexOf(":") + 1), clientId, lastMutationId };
  });
  return [
    ...called,
    ...(changes.length === 0 && omitted === undefined ? [] : [commit]),
    ...(places.length === 0 ? [] : [{ type: "watermark", at, object, clients: places }]),
  ];
}
