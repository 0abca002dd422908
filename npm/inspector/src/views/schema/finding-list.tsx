import type { JSX } from "preact";
import type { Finding } from "../../api/app-model.ts";
import { Badge } from "../../ui/badge.tsx";
import { Code } from "../../ui/code.tsx";

/** What codegen and the advisor found: what, why, what to do. */
export function FindingList({ findings }: { readonly findings: readonly Finding[] }): JSX.Element {
  if (findings.length === 0) return <p class="hint">Nothing was found: no error, no advice.</p>;
  return (
    <ul class="cards">
      {findings.map((finding) => {
        const [label] = finding.labels ?? [];
        const isError = finding.severity === "error";
        return (
          <li key={`${finding.code} ${finding.message}`} class="card">
            <p>
              <Badge tone={isError ? "bad" : "warn"} icon={isError ? "error" : "warning"}>
                {finding.severity}
              </Badge>{" "}
              <code>{finding.code}</code>
            </p>
            <p>{finding.message}</p>
            {finding.help !== undefined && finding.help !== null && <p class="hint">{finding.help}</p>}
            {label !== undefined && (
              <Code
                label={`${label.file}${label.start === undefined || label.start === null ? "" : `:${label.start.line}`}`}
                text={label.frame ?? label.message ?? ""}
              />
            )}
          </li>
        );
      })}
    </ul>
  );
}
