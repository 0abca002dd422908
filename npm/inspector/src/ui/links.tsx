import type { ComponentChildren, JSX } from "preact";
import { shardLabel, shortId } from "../logic/names.ts";
import { href } from "../logic/route.ts";

/** Links within a list are not stops of the Tab key: Enter opens the row, and there they are again. */
interface InList {
  readonly isInList?: boolean;
}

const stop = (isInList: boolean | undefined): { tabIndex?: number } => (isInList === true ? { tabIndex: -1 } : {});

export function ShardLink({ object, isInList }: { readonly object: string } & InList): JSX.Element {
  return (
    <a href={href("shards", [object])} {...stop(isInList)}>
      {shardLabel(object)}
    </a>
  );
}

export function CallLink({
  call,
  children,
  isInList,
}: { readonly call: string; readonly children?: ComponentChildren } & InList): JSX.Element {
  return (
    <a href={href("calls", [call])} {...stop(isInList)}>
      {children ?? <code>{call}</code>}
    </a>
  );
}

export function RowLink({
  object,
  table,
  id,
  isInList,
}: { readonly object: string; readonly table: string; readonly id: string } & InList): JSX.Element {
  return (
    <a href={href("data", [object, table, id])} title={id} {...stop(isInList)}>
      <code>{shortId(id)}</code>
    </a>
  );
}

export function OpLink({
  object,
  seq,
  isInList,
}: { readonly object: string; readonly seq: number } & InList): JSX.Element {
  return (
    <a href={href("oplog", [object], { seq })} {...stop(isInList)}>
      op {seq}
    </a>
  );
}

export function PokeLink({
  object,
  n,
  children,
  isInList,
}: { readonly object: string; readonly n: number; readonly children?: ComponentChildren } & InList): JSX.Element {
  return (
    <a href={href("pokes", [object, String(n)])} {...stop(isInList)}>
      {children ?? `poke ${n}`}
    </a>
  );
}
