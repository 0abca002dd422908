import { useCallback, useEffect, useState } from "preact/hooks";
import { Refusal } from "../api/refusal.ts";

/** Something the server is asked for. */
export interface Resource<Value> {
  readonly value?: Value;
  readonly refusal?: Refusal;
  reload(): void;
}

interface State<Value> {
  readonly key: string | undefined;
  readonly value?: Value;
  readonly refusal?: Refusal;
}

/** Any thrown value as a refusal, so that it can be shown. */
export function refusalFrom(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal("INSPECTOR_FAULT", String(error), 0);
}

/** Asks when `key` changes or {@link Resource.reload} is called; `undefined` asks nothing. What was there stays till then. */
export function useResource<Value>(key: string | undefined, load: () => Promise<Value>): Resource<Value> {
  const [state, setState] = useState<State<Value>>({ key });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((value) => value + 1), []);
  useEffect(() => {
    if (key === undefined) return undefined;
    let isWanted = true;
    load()
      .then((value) => isWanted && setState({ key, value }))
      .catch((error: unknown) => isWanted && setState({ key, refusal: refusalFrom(error) }));
    return () => {
      isWanted = false;
    };
    // `load` is new with every rendering; `key` says when it asks for something else.
  }, [key, round]);
  if (state.key !== key) return { reload };
  return {
    reload,
    ...(state.value === undefined ? {} : { value: state.value }),
    ...(state.refusal === undefined ? {} : { refusal: state.refusal }),
  };
}
