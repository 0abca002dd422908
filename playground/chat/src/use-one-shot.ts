import type { PublicReference } from "lunorash/client";
import type { CallArguments, ResultOf } from "lunorash/protocol";
import { useLunora } from "lunorash/react";
import { useCallback, useEffect, useRef, useState } from "react";

/** One answer to a query, asked again only when told to. */
export interface OneShot<Data> {
  /** The last answer, also while a newer one is under way or failed. */
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly refresh: () => void;
}

/** For queries that cannot be live: one that asks every shard, above all. */
export function useOneShot<Reference extends PublicReference<"query">>(
  reference: Reference,
): OneShot<ResultOf<Reference>> {
  const client = useLunora();
  const round = useRef<AbortController>(undefined);
  const [state, setState] = useState<Omit<OneShot<ResultOf<Reference>>, "refresh">>({
    data: undefined,
    error: undefined,
    isPending: true,
  });

  const refresh = useCallback(() => {
    round.current?.abort();
    const controller = new AbortController();
    const { signal } = controller;
    round.current = controller;
    setState(({ data }) => ({ data, error: undefined, isPending: true }));
    client.query(reference, ...([{}, { signal }] as unknown as CallArguments<Reference>)).then(
      (data) => {
        if (!signal.aborted) setState({ data, error: undefined, isPending: false });
      },
      (error: unknown) => {
        if (!signal.aborted) setState(({ data }) => ({ data, error, isPending: false }));
      },
    );
  }, [client, reference]);

  useEffect(() => {
    refresh();
    return () => round.current?.abort();
  }, [refresh]);

  return { ...state, refresh };
}
