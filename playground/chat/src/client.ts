import { LunoraClient } from "lunorash/client";

/** For mutations: repeated while the server is away, and done once all the same. */
export const client = new LunoraClient({ url: location.origin });

/** For polled queries: the next round repeats them anyway, so what outlasts a hiccup is shown soon. */
export const pollingClient = new LunoraClient({ url: location.origin, retry: { attempts: 3 } });
