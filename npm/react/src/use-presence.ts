import { useCallback, useEffect, useMemo, useRef } from "react";
import type { LunoraError, Store } from "@lunora/client";
import { presence } from "@lunora/client/presence";
import type { Member, PresenceData, PresenceInput, PresenceSnapshot } from "@lunora/client/presence";
import { canonicalJson, encodeValue } from "@lunora/protocol";
import type { PresenceReference } from "@lunora/protocol";

import { useLunora } from "./context.ts";
import { constantStore, useStore } from "./use-store.ts";

/** A room as a component sees it: `skipped` while its name is `"skip"` or its data are not known. */
export interface PresenceResult<Data = unknown, Input = Data> {
  readonly status: PresenceSnapshot["status"] | "skipped";
  /** In the order in which they came, this page among them. */
  readonly members: readonly Member<Data>[];
  /** This page, once it is in. */
  readonly me?: Member<Data>;
  readonly error?: LunoraError;
  /** Says something else of this page, until `data` changes. */
  readonly update: (data: Input) => void;
}

type Snapshot<Data> = Omit<PresenceResult<Data>, "update">;

const CONNECTING: Snapshot<never> = { status: "connecting", members: [] };
const SKIPPED: Snapshot<never> = { status: "skipped", members: [] };
const skipped: Store<typeof SKIPPED> = constantStore(SKIPPED);

/**
 * Is in the room while the component is there. `data` is what this page says of itself: when it
 * changes the others are told. Components that name the same room are in it once. `room` is
 * `undefined` where there is none to be in yet.
 */
export function usePresence<Reference extends PresenceReference>(
  reference: Reference,
  room: string | undefined,
  data: PresenceInput<Reference>,
): PresenceResult<PresenceData<Reference>, PresenceInput<Reference>> {
  const client = useLunora();
  const first = useRef(data);
  first.current = data;
  const live = useMemo(
    () => (room === undefined ? undefined : presence(client, reference, room, first.current)),
    [client, reference.path, room],
  );
  const said = canonicalJson(encodeValue(data) ?? null);
  useEffect(() => {
    live?.update(first.current);
    // The text stands for the data.
  }, [live, said]);
  const snapshot = useStore<Snapshot<PresenceData<Reference>>>(
    live ?? skipped,
    live === undefined ? SKIPPED : CONNECTING,
  );
  const update = useCallback((next: PresenceInput<Reference>) => live?.update(next), [live]);
  return useMemo(() => ({ ...snapshot, update }), [snapshot, update]);
}
