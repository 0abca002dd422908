import type { JSX } from "preact";
import { difference } from "../logic/difference.ts";
import { Badge } from "./badge.tsx";
import type { Tone } from "./badge.tsx";
import { Value } from "./value.tsx";

interface Props {
  readonly before: Readonly<Record<string, unknown>> | null | undefined;
  readonly after: Readonly<Record<string, unknown>> | null | undefined;
}

const TONES: Readonly<Record<string, Tone>> = { added: "good", removed: "bad", changed: "accent", same: "plain" };

/** Two images of a row, field by field. */
export function DifferenceTable({ before, after }: Props): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Before and after">
      <table class="table difference">
        <thead>
          <tr>
            <th scope="col">Field</th>
            <th scope="col">Before</th>
            <th scope="col">After</th>
            <th scope="col">Change</th>
          </tr>
        </thead>
        <tbody>
          {difference(before, after).map((change) => (
            <tr key={change.field} data-kind={change.kind}>
              <th scope="row">{change.field}</th>
              <td class="before">{change.kind !== "added" && <Value value={change.before} />}</td>
              <td class="after">{change.kind !== "removed" && <Value value={change.after} />}</td>
              <td>
                <Badge tone={TONES[change.kind] ?? "plain"} icon={change.kind}>
                  {change.kind}
                </Badge>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
