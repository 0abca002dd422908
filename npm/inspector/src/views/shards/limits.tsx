import type { JSX } from "preact";
import type { ReadSize } from "../../logic/due-sizes.ts";
import { bytes as bytesText, count, distance } from "../../logic/format.ts";
import { now } from "../../store/clock.ts";
import { Badge } from "../../ui/badge.tsx";

/** From here on a shard's size is worth a warning: an object stores 10 GB, and export and migration take longer and longer. */
const LARGE = 2 ** 30;
/** From here on a shard is near what one object can do, mutations per second. */
const BUSY = 700;

/** A size, with a warning from 1 GB on. */
export function SizeValue({ bytes, title }: { readonly bytes: number; readonly title?: string }): JSX.Element {
  if (bytes < LARGE) return <span {...(title === undefined ? {} : { title })}>{bytesText(bytes)}</span>;
  return (
    <Badge tone="warn" icon="warning" title={`Over 1 GB: think of smaller shards. ${title ?? ""}`}>
      {bytesText(bytes)}, large
    </Badge>
  );
}

const age = (size: ReadSize): string => `Read ${distance(size.at, now.value)}`;

/** The size of a shard in a list, with the age of what is known; a line till it has been read. */
export function KnownSize({ size }: { readonly size: ReadSize | undefined }): JSX.Element {
  if (size?.code !== undefined)
    return (
      <Badge tone="bad" icon="error" title={`It could not be read. ${age(size)}`}>
        {size.code}
      </Badge>
    );
  if (size?.bytes === undefined) return <span class="soft">–</span>;
  return <SizeValue bytes={size.bytes} title={age(size)} />;
}

/** How many rows of the app's own tables a shard has. */
export function KnownRows({ size }: { readonly size: ReadSize | undefined }): JSX.Element {
  if (size?.rows === undefined) return <span class="soft">–</span>;
  return <span title={age(size)}>{`${count(size.rows)}${size.isAtLeast === true ? "+" : ""}`}</span>;
}

/** Mutations per second, with a warning from 700 on. */
export function RateValue({ rate }: { readonly rate: number }): JSX.Element {
  const text = `${Math.round(rate * 10) / 10}`;
  if (rate < BUSY) return rate === 0 ? <span class="soft">0</span> : <>{text}</>;
  return (
    <Badge tone="warn" icon="warning" title="Over 700 per second: near what one object can do">
      {text}, busy
    </Badge>
  );
}
