import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import { clock } from "../../logic/format.ts";
import { Badge } from "../../ui/badge.tsx";
import type { Tone } from "../../ui/badge.tsx";
import type { IconName } from "../../ui/icon.tsx";

type Log = EventOf<"log">;

const LEVELS: Readonly<Record<Log["level"], readonly [Tone, IconName | undefined]>> = {
  error: ["bad", "error"],
  warn: ["warn", "warning"],
  info: ["accent", undefined],
  log: ["plain", undefined],
  debug: ["plain", undefined],
};

export function LevelBadge({ level }: { readonly level: Log["level"] }): JSX.Element {
  const [tone, icon] = LEVELS[level] ?? ["plain", undefined];
  return (
    <Badge tone={tone} {...(icon === undefined ? {} : { icon })}>
      {level}
    </Badge>
  );
}

/** A log line, whole. */
export function LogLine({ log }: { readonly log: Log }): JSX.Element {
  return (
    <div class="log-line">
      <time>{clock(log.at)}</time> <LevelBadge level={log.level} />
      <pre tabIndex={0}>{log.stack === undefined ? log.text : `${log.text}\n${log.stack}`}</pre>
    </div>
  );
}
