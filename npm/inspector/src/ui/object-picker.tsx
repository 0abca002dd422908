import type { JSX } from "preact";
import { useId, useState } from "preact/hooks";
import type { ShardPage } from "../api/shards.ts";
import { api } from "../store/api.ts";
import { useResource } from "../store/use-resource.ts";

interface Props {
  readonly value: string;
  readonly onChoose: (object: string) => void;
  /** What nothing chosen means, when it means something. */
  readonly all?: string;
}

/** Chooses a shard by typing a part of its name. */
export function ObjectPicker({ value, onChoose, all }: Props): JSX.Element {
  const id = useId();
  const [typed, setTyped] = useState(value);
  const found = useResource(`pick:${typed}`, () => api.get<ShardPage>("shards", { search: typed, limit: 50 }));
  return (
    <form
      class="picker"
      onSubmit={(event) => {
        event.preventDefault();
        onChoose(typed.trim());
      }}
    >
      <input
        class="search"
        list={id}
        aria-label="Shard"
        placeholder={all ?? "Shard"}
        value={typed}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={(event) => onChoose(event.currentTarget.value.trim())}
      />
      <datalist id={id}>
        {found.value?.shards.map((shard) => (
          <option key={shard.name} value={shard.name} />
        ))}
      </datalist>
    </form>
  );
}
