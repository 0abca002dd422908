import type { JSX } from "preact";
import type { ShapeModel } from "../../api/shards.ts";
import { shardLabel } from "../../logic/names.ts";
import { href } from "../../logic/route.ts";
import { api } from "../../store/api.ts";
import { go, route } from "../../store/location.ts";
import { useResource } from "../../store/use-resource.ts";
import { Empty } from "../../ui/empty.tsx";
import { Loaded } from "../../ui/loaded.tsx";
import { ObjectPicker } from "../../ui/object-picker.tsx";
import { Page } from "../../ui/page.tsx";
import { Section } from "../../ui/section.tsx";
import { ChooseShard } from "../choose-shard.tsx";
import { ShapeCard } from "./shape-card.tsx";
import { WhyForm } from "./why-form.tsx";

const EXAMPLE = `export const openTasks = defineShape("tasks")
  .args({ projectId: v.id("projects") })
  .where(({ args }) => ({ projectId: args.projectId, done: false }));`;

function Shapes({ object }: { readonly object: string }): JSX.Element {
  const shapes = useResource(`shapes:${object}`, () =>
    api.inspect<{ shapes: readonly ShapeModel[] }>("shapes", { object }),
  );
  return (
    <Loaded of={shapes}>
      {({ shapes: list }) =>
        list.length === 0 ? (
          <Empty title="No shape over tables of this shard" code={EXAMPLE} file="lunora/tasks.ts">
            A shape is a set of rows that clients hold and follow: a table, a condition and columns.
          </Empty>
        ) : (
          <>
            <Section title="Why is a row (not) in a shape?">
              <WhyForm object={object} shapes={list} />
            </Section>
            <Section title="Shapes">
              {list.map((shape, index) => (
                <ShapeCard key={`${shape.name} ${index}`} shape={shape} />
              ))}
            </Section>
          </>
        )
      }
    </Loaded>
  );
}

const choose = (name: string): void => go(href("shapes", name === "" ? [] : [name]));

/** The shapes of a shard, who follows them, and why a row is a member or not. */
export function ShapesPage(): JSX.Element {
  const [object] = route.value.parts;
  return (
    <Page
      title={object === undefined ? "Shapes" : `Shapes of ${shardLabel(object)}`}
      {...(object === undefined
        ? {}
        : {
            trail: [
              ["/shapes", "Shapes"],
              [href("shards", [object]), shardLabel(object)],
            ] as const,
          })}
      tools={<ObjectPicker key={object ?? ""} value={object ?? ""} onChoose={choose} />}
    >
      {object === undefined ? <ChooseShard view="shapes" /> : <Shapes key={object} object={object} />}
    </Page>
  );
}
