import type { JSX } from "preact";
import type { ShardPage } from "../api/shards.ts";
import { shardLabel } from "../logic/names.ts";
import { href } from "../logic/route.ts";
import type { ViewName } from "../logic/route.ts";
import { api } from "../store/api.ts";
import { useResource } from "../store/use-resource.ts";
import { Empty } from "../ui/empty.tsx";
import { Loaded } from "../ui/loaded.tsx";
import { Section } from "../ui/section.tsx";

/** Some shards to begin with, where a view is of one shard. */
export function ChooseShard({ view }: { readonly view: ViewName }): JSX.Element {
  const shards = useResource("choose", () => api.get<ShardPage>("shards", { limit: 12 }));
  return (
    <Loaded of={shards}>
      {(page) =>
        page.shards.length === 0 ? (
          <Empty title="No shard yet">A shard comes to be when something is first written to it.</Empty>
        ) : (
          <Section title="Choose a shard">
            <ul class="chips">
              {page.shards.map((shard) => (
                <li key={shard.name}>
                  <a class="button" href={href(view, [shard.name])}>
                    {shardLabel(shard.name)}
                  </a>
                </li>
              ))}
            </ul>
            {page.cursor !== null && <p class="hint">There are more: type a part of a name above.</p>}
          </Section>
        )
      }
    </Loaded>
  );
}
