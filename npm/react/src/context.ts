import { createContext, createElement, useContext } from "react";
import type { Context, ReactElement, ReactNode } from "react";
import type { LunoraClient } from "@lunora/client";

const ClientContext: Context<LunoraClient | undefined> = createContext<LunoraClient | undefined>(undefined);

export interface LunoraProviderProps {
  /** Made once, outside of components: it owns the connection. */
  readonly client: LunoraClient;
  readonly children?: ReactNode;
}

/** Gives the hooks below it their client. It neither opens nor closes the client. */
export function LunoraProvider({ client, children }: LunoraProviderProps): ReactElement {
  return createElement(ClientContext, { value: client }, children);
}

/** The client of the nearest {@link LunoraProvider}. */
export function useLunora(): LunoraClient {
  const client = useContext(ClientContext);
  if (client === undefined) {
    throw new Error(
      "`useLunora` found no client: there is no `LunoraProvider` above this component. Wrap the app in `<LunoraProvider client={client}>`.",
    );
  }
  return client;
}
