import { useRef } from "preact/hooks";
import type { EventOf, EventType } from "../api/events.ts";
import { ring, version } from "./timeline.ts";

interface Found<Type extends EventType> {
  readonly key: string;
  last: number;
  letGo: number;
  events: EventOf<Type>[];
}

/**
 * The events of some types that `matches` holds for, oldest first, as they come. Only new ones are looked at; all
 * are when `key` changes, which must name what `matches` depends on.
 */
export function useEvents<Type extends EventType>(
  key: string,
  types: readonly Type[],
  matches: (event: EventOf<Type>) => boolean = () => true,
): readonly EventOf<Type>[] {
  const found = useRef<Found<Type> | undefined>(undefined);
  // Read, so that the component is rendered again when there is more.
  void version.value;
  if (found.current === undefined || found.current.key !== key || found.current.letGo !== ring.letGo) {
    found.current = { key, last: -Infinity, letGo: ring.letGo, events: [] };
  }
  const { current } = found;
  const { events } = ring;
  let index = events.length;
  while (index > 0 && (events[index - 1]?.n ?? 0) > current.last) index -= 1;
  if (index === events.length) return current.events;
  const more = events
    .slice(index)
    .filter((event): event is EventOf<Type> => types.includes(event.type as Type) && matches(event as EventOf<Type>));
  if (more.length > 0) current.events = current.events.concat(more);
  current.last = events.at(-1)?.n ?? current.last;
  return current.events;
}
