import type { JSX } from "preact";
import { bytes as bytesText } from "../../logic/format.ts";
import { Badge } from "../../ui/badge.tsx";

/** From here on a shard's size is worth a warning: an object stores 10 GB, and export and migration take longer and longer. */
const LARGE = 2 ** 30;
/** From here on a shard is near what one object can do, mutations per second. */
const BUSY = 700;

/** A size, with a warning from 1 GB on. */
export function SizeValue({ bytes }: { readonly bytes: number | null | undefined }): JSX.Element {
  if (bytes === null || bytes === undefined) return <span class="soft">–</span>;
  if (bytes < LARGE) return <>{bytesText(bytes)}</>;
  return (
    <Badge tone="warn" icon="warning" title="Over 1 GB: think of smaller shards">
      {bytesText(bytes)}
    </Badge>
  );
}

/** Mutations per second, with a warning from 700 on. */
export function RateValue({ rate }: { readonly rate: number }): JSX.Element {
  const text = `${Math.round(rate * 10) / 10}`;
  if (rate < BUSY) return rate === 0 ? <span class="soft">0</span> : <>{text}</>;
  return (
    <Badge tone="warn" icon="warning" title="Over 700 per second: near what one object can do">
      {text}
    </Badge>
  );
}
