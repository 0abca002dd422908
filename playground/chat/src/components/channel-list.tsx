import type { QueryResult } from "lunorash/react";
import type { ReactElement } from "react";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { channelPath } from "../router.js";
import { ErrorNotice } from "./error-notice.js";
import { Link } from "./link.js";
import { Skeleton } from "./skeleton.js";

interface ChannelListProps {
  readonly channels: QueryResult<readonly Doc<"channels">[]>;
  readonly path: string;
}

export function ChannelList({ channels, path }: ChannelListProps): ReactElement {
  const { data, error } = channels;
  return (
    <>
      <h2 className="overline">Channels</h2>
      {data === undefined && error !== undefined && <ErrorNotice error={error} />}
      {data === undefined && error === undefined && <Skeleton label="Loading channels" rows={4} />}
      {data?.length === 0 && <p className="hint">None yet.</p>}
      <ul className="links">
        {data?.map((channel) => {
          const href = channelPath(channel.name);
          return (
            <li key={channel._id}>
              <Link className="link" href={href} aria-current={path === href ? "page" : undefined}>
                <span className="hash" aria-hidden="true">
                  #
                </span>
                <span className="clipped">{channel.name}</span>
              </Link>
            </li>
          );
        })}
      </ul>
    </>
  );
}
