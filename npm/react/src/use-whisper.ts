import { useCallback, useEffect, useLayoutEffect, useRef } from "react";
import type { WhisperListener, WhisperPlace } from "@lunora/client/whispers";
import { whispers } from "@lunora/client/whispers";
import { subscriptionKey } from "@lunora/protocol";

import { useLunora } from "./context.ts";

/**
 * Listens to a topic while the component is there, without rendering. The newest listener is called.
 * What it returns tells everybody else who listens; it is false when there is no connection.
 * `topic` is `undefined` where there is none to listen to yet.
 */
export function useWhisper(
  topic: string | undefined,
  listener: WhisperListener | WhisperListener["onWhisper"],
  place?: WhisperPlace,
): (data: unknown) => boolean {
  const client = useLunora();
  const latest = useRef({ listener, place });
  useLayoutEffect(() => {
    latest.current = { listener, place };
  });
  const key = place === undefined ? "" : subscriptionKey(place.reference.path, place.args ?? {});
  useEffect(() => {
    if (topic === undefined) return;
    return whispers(client, topic, latest.current.place).subscribe({
      onWhisper: (data, from) => {
        const current = latest.current.listener;
        if (typeof current === "function") current(data, from);
        else current.onWhisper(data, from);
      },
      onError: (error) => {
        const current = latest.current.listener;
        if (typeof current !== "function") current.onError?.(error);
      },
    });
    // The key stands for the place.
  }, [client, topic, key]);
  return useCallback(
    (data: unknown) => topic !== undefined && whispers(client, topic, latest.current.place).send(data),
    [client, topic, key],
  );
}
