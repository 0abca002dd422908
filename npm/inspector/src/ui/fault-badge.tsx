import type { JSX } from "preact";
import type { FaultEvent } from "../api/events.ts";
import { faultTitle } from "../logic/fault-text.ts";
import { Badge } from "./badge.tsx";
import type { Tone } from "./badge.tsx";

const TONES: Readonly<Record<FaultEvent["state"], Tone>> = {
  armed: "warn",
  happened: "bad",
  skipped: "plain",
  started: "accent",
  stopped: "plain",
};

/** Something that went wrong on purpose, among what went on. */
export function FaultBadge({ event }: { readonly event: FaultEvent }): JSX.Element {
  return (
    <Badge tone={TONES[event.state]} icon="faults">
      {faultTitle(event.fault)}
    </Badge>
  );
}
