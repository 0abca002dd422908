import { useState } from "preact/hooks";
import type { Refusal } from "../api/refusal.ts";
import { announce } from "../store/announcer.ts";
import { refusalFrom } from "../store/use-resource.ts";

/** Something that is done at the server when somebody asks for it. */
export interface Act {
  readonly isBusy: boolean;
  readonly refusal: Refusal | undefined;
  /** Does it; `said` is told when it is done. */
  run(said: string, work: () => Promise<void>): void;
}

/** One thing at a time; why it failed stays to be read. */
export function useAct(): Act {
  const [isBusy, setIsBusy] = useState(false);
  const [refusal, setRefusal] = useState<Refusal>();
  return {
    isBusy,
    refusal,
    run: (said, work) => {
      setIsBusy(true);
      setRefusal(undefined);
      work()
        .then(() => announce(said))
        .catch((error: unknown) => setRefusal(refusalFrom(error)))
        .finally(() => setIsBusy(false));
    },
  };
}
