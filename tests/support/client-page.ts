// What a page of the client's storage tests has in `window`. Bundled for the browser by the test.
import { hostEnvironment } from "../../npm/client/src/environment.ts";
import { indexedDbStorage } from "../../npm/client/src/indexed-db.ts";
import { LunoraClient } from "../../npm/client/src/index.ts";
import { Lanes, storedEntry } from "../../npm/client/src/lanes.ts";
import type { Box } from "../../npm/client/src/offline-part.ts";
import { offline } from "../../npm/client/src/offline.ts";
import { openOutbox } from "../../npm/client/src/outbox.ts";
import type { ClientStorage } from "../../npm/client/src/storage.ts";
import { functionReference } from "../../npm/protocol/src/index.ts";
import type { FunctionReference } from "../../npm/protocol/src/index.ts";

/** As the client names its database and its locks. */
const NAME = `lunora:${location.origin}`;
const send: FunctionReference<"mutation", { body: string }, null, "public"> = functionReference(
  "messages:send",
  "mutation",
  { kind: "root" },
);

/** A lane of this page over real storage and real locks; time passes a hundred times as fast. */
async function openLane(clientId: string): Promise<{ readonly adopted: string[]; scan(): Promise<void> }> {
  const storage = indexedDbStorage(NAME);
  const adopted: string[] = [];
  const environment = hostEnvironment();
  const lanes = new Lanes({
    name: NAME,
    clientId,
    storage,
    environment: { ...environment, setTimer: (ms, callback) => environment.setTimer(ms / 100, callback) },
    identity: () => "ada",
    adopt: (boxes) => adopted.push(...boxes.map((box) => box.clientId)),
    onError: (error) => adopted.push(String(error)),
  });
  await lanes.start();
  const box: Box = { clientId, shard: "__root__", identity: "ada", state: openOutbox() };
  const entry = {
    order: 1,
    seq: 1,
    mutationId: clientId,
    shard: "__root__",
    path: "a:b",
    args: {},
    bytes: 1,
    at: 1,
    isTried: false,
  };
  await storage.write([[`o/${clientId}/0000000001`, storedEntry(box, entry)]]);
  return { adopted, scan: () => lanes.scan() };
}

/** A client whose server is away, with a mutation that waits. */
function openClient(): { readonly errors: string[]; readonly client: LunoraClient } {
  const errors: string[] = [];
  const client = new LunoraClient({
    url: location.origin,
    subject: "ada",
    offline: offline({ onError: (error) => errors.push(String(error)) }),
  });
  client.mutation(send, { body: "x".repeat(1_000) }).catch((error: unknown) => errors.push(String(error)));
  return { errors, client };
}

/** What the tests call in the page. */
export interface ClientPage {
  readonly name: string;
  readonly storage: ClientStorage;
  openLane: typeof openLane;
  openClient: typeof openClient;
  lane?: Awaited<ReturnType<typeof openLane>>;
  opened?: ReturnType<typeof openClient>;
}

const hasDatabase = typeof indexedDB === "object" && indexedDB !== null;
const page: ClientPage = {
  name: NAME,
  storage: hasDatabase ? indexedDbStorage(NAME) : { list: async () => [], write: async () => {} },
  openLane,
  openClient,
};
(window as unknown as { page: ClientPage }).page = page;
