import { useQueryResult } from "lunorash/react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import { Conversation } from "./conversation.js";
import { ErrorNotice } from "./error-notice.js";
import { Link } from "./link.js";
import { PageHeader } from "./page-header.js";
import { Skeleton } from "./skeleton.js";

/** A channel by the name in the address. */
export function ChannelPage({ name }: { readonly name: string }): ReactElement {
  const { data: channel, error } = useQueryResult(api.channels.byName, { name });
  return (
    <>
      <PageHeader title={`#${name}`}>{channel?.topic}</PageHeader>
      {channel ? (
        <Conversation channel={channel} />
      ) : (
        <div className="prose">
          {error !== undefined && <ErrorNotice error={error} />}
          {channel === undefined && error === undefined && <Skeleton label="Loading the channel" rows={6} />}
          {channel === null && (
            <>
              <p className="lead">There is no channel called “{name}”.</p>
              <p>
                <Link href="/">Go to the channels</Link>
              </p>
            </>
          )}
        </div>
      )}
    </>
  );
}
