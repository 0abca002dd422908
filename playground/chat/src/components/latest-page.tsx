import { useQuery } from "lunorash/react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import { channelPath } from "../router.js";
import { fullTime, timeOfDay } from "../times.js";
import { useOneShot } from "../use-one-shot.js";
import { Avatar } from "./avatar.js";
import { ErrorNotice } from "./error-notice.js";
import { Link } from "./link.js";
import { PageHeader } from "./page-header.js";
import { Skeleton } from "./skeleton.js";

/** The newest messages, wherever they were written. */
export function LatestPage(): ReactElement {
  const channels = useQuery(api.channels.list);
  const { data: latest, error, isPending, refresh } = useOneShot(api.messages.latest);
  const nameOf = new Map(channels?.map((channel) => [channel._id, channel.name]));
  return (
    <>
      <PageHeader title="Latest messages">The newest twenty, from every channel</PageHeader>
      <div className="prose">
        <div className="actions">
          <button type="button" className="button" aria-disabled={isPending} onClick={refresh}>
            {isPending ? "Asking every channel…" : "Refresh"}
          </button>
        </div>
        {error !== undefined && <ErrorNotice error={error} onRetry={refresh} />}
        {latest === undefined && error === undefined && <Skeleton label="Loading messages" rows={6} />}
        {latest !== undefined && latest.failed > 0 && (
          <p className="notice" role="status">
            {latest.failed} of {latest.ok + latest.failed} channels did not answer; their messages are missing here.{" "}
            <code className="code">{latest.errors[0]?.code}</code>
          </p>
        )}
        {latest?.data.length === 0 && <p className="lead">Nobody has written anything yet.</p>}
        <ul className="cards" aria-label="Latest messages">
          {latest?.data.map((message) => {
            const channel = nameOf.get(message.channelId);
            return (
              <li key={message._id} className="card">
                <p className="message-head">
                  <Avatar name={message.author} />
                  <strong className="clipped">{message.author}</strong>
                  {channel !== undefined && (
                    <Link className="clipped" href={channelPath(channel)}>
                      #{channel}
                    </Link>
                  )}
                  <time
                    dateTime={new Date(message._creationTime).toISOString()}
                    title={fullTime(message._creationTime)}
                  >
                    {timeOfDay(message._creationTime)}
                  </time>
                </p>
                <p className="body">{message.body}</p>
              </li>
            );
          })}
        </ul>
      </div>
    </>
  );
}
