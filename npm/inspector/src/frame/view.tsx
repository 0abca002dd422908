import type { JSX } from "preact";
import type { ViewName } from "../logic/route.ts";
import { route } from "../store/location.ts";
import { CallPage } from "../views/calls/call-page.tsx";
import { ClientsPage } from "../views/clients/clients-page.tsx";
import { DataPage } from "../views/data/data-page.tsx";
import { FaultsPage } from "../views/faults/faults-page.tsx";
import { FunctionsPage } from "../views/functions/functions-page.tsx";
import { LogsPage } from "../views/logs/logs-page.tsx";
import { MailPage } from "../views/mail/mail-page.tsx";
import { MissingPage } from "../views/missing-page.tsx";
import { OpLogPage } from "../views/oplog/oplog-page.tsx";
import { OverviewPage } from "../views/overview/overview-page.tsx";
import { PokesPage } from "../views/pokes/pokes-page.tsx";
import { QueuesPage } from "../views/queues/queues-page.tsx";
import { ResidencyPage } from "../views/residency/residency-page.tsx";
import { ScheduledPage } from "../views/scheduled/scheduled-page.tsx";
import { SchemaPage } from "../views/schema/schema-page.tsx";
import { ShapesPage } from "../views/shapes/shapes-page.tsx";
import { ShardsPage } from "../views/shards/shards-page.tsx";

const PAGES: Readonly<Record<ViewName, () => JSX.Element>> = {
  overview: OverviewPage,
  shards: ShardsPage,
  oplog: OpLogPage,
  pokes: PokesPage,
  shapes: ShapesPage,
  clients: ClientsPage,
  data: DataPage,
  functions: FunctionsPage,
  scheduled: ScheduledPage,
  queues: QueuesPage,
  residency: ResidencyPage,
  mail: MailPage,
  schema: SchemaPage,
  logs: LogsPage,
  faults: FaultsPage,
  calls: CallPage,
  missing: MissingPage,
};

/** The page of the address. */
export function View(): JSX.Element {
  const Chosen = PAGES[route.value.view];
  return <Chosen />;
}
