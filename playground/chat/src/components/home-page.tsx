import { useQueryResult } from "lunorash/react";
import { useEffect } from "react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import { channelPath, navigate } from "../router.js";
import { ChannelForm } from "./channel-form.js";
import { ErrorNotice } from "./error-notice.js";
import { PageHeader } from "./page-header.js";
import { Skeleton } from "./skeleton.js";

/** Leads to the first channel, or to making it. */
export function HomePage(): ReactElement {
  const { data, error } = useQueryResult(api.channels.list);
  const first = data?.[0];
  useEffect(() => {
    if (first !== undefined) navigate(channelPath(first.name), { replace: true });
  }, [first]);
  return (
    <>
      <PageHeader title="Welcome" />
      <div className="prose">
        {error !== undefined && <ErrorNotice error={error} />}
        {data === undefined && error === undefined && <Skeleton label="Loading" rows={5} />}
        {data?.length === 0 && (
          <>
            <p className="lead">There is nothing here yet. Open the first channel and say hello.</p>
            <div className="card">
              <ChannelForm />
            </div>
          </>
        )}
      </div>
    </>
  );
}
