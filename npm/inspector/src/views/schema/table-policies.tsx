import type { JSX } from "preact";
import type { TableModel } from "../../api/app-model.ts";
import type { PolicyUse } from "../../api/policies.ts";
import { plural } from "../../logic/format.ts";
import { Badge } from "../../ui/badge.tsx";

interface Props {
  readonly table: TableModel;
  readonly policies: readonly PolicyUse[];
}

/** Whether rows of the table are guarded by what the app's functions and shapes ask. */
export function PolicyBadge({ table, policies }: Props): JSX.Element {
  if (policies.length > 0)
    return (
      <Badge tone="good" icon="ok">
        row policies for {policies.map(({ on }) => on).join(", ")}
      </Badge>
    );
  if (!table.needsPolicy) return <Badge>no row policy</Badge>;
  return (
    <Badge tone="warn" icon="warning" title='The schema says .rls("required"): nothing can reach its rows'>
      no row policy, but required
    </Badge>
  );
}

/** Who asks each of them. */
export function PolicyList({ policies }: { readonly policies: readonly PolicyUse[] }): JSX.Element {
  const users = policies.flatMap(({ functions, shapes }) => [...functions, ...shapes]);
  return (
    <details>
      <summary>Asked by {plural(new Set(users).size, "function or shape", "functions and shapes")}</summary>
      <ul class="plain-list">
        {policies.map(({ on, functions, shapes }) => (
          <li key={on}>
            <Badge tone="accent">{on}</Badge> <code>{[...functions, ...shapes].join(", ")}</code>
          </li>
        ))}
      </ul>
    </details>
  );
}
