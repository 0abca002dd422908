import { useMutation, usePresence, useQueryResult } from "lunorash/react";
import { Fragment, useRef } from "react";
import type { ReactElement } from "react";
import { api } from "../../lunora/_generated/api.js";
import type { Doc } from "../../lunora/_generated/dataModel.js";
import { presence } from "../../lunora/_generated/presence.js";
import { useAuthor } from "../author.js";
import { continues } from "../continues.js";
import { isTold, useRefusals } from "../refusals.js";
import { reminderOf } from "../reminder.js";
import { dayOf, isSameDay } from "../times.js";
import { useTyping } from "../use-typing.js";
import { Announcer } from "./announcer.js";
import { Company } from "./company.js";
import { Composer } from "./composer.js";
import { ErrorNotice } from "./error-notice.js";
import { MessageItem } from "./message-item.js";
import { RefusedItem } from "./refused-item.js";
import { Skeleton } from "./skeleton.js";

/** The messages of a channel and the place to write one. */
export function Conversation({ channel }: { readonly channel: Doc<"channels"> }): ReactElement {
  const [author] = useAuthor();
  const { data, error } = useQueryResult(api.messages.list, { channelId: channel._id });
  const sendMessage = useMutation(api.messages.send);
  const setReminder = useMutation(api.reminders.set);
  const refusals = useRefusals().filter((refusal) => refusal.channelId === channel._id);
  const { members, me } = usePresence(presence.channels.room, channel._id, { name: author });
  const typing = useTyping(channel._id, author);
  const present = members.filter(({ memberId }) => memberId !== me?.memberId).map(({ data: { name } }) => name);
  const scroller = useRef<HTMLDivElement>(null);
  const composer = useRef<HTMLTextAreaElement>(null);
  const messages = data?.toReversed() ?? [];

  function send(body: string): void {
    // Zero is the end: the list is laid out from its end, which keeps the newest in view.
    scroller.current?.scrollTo({ top: 0 });
    typing.say(false);
    const reminder = reminderOf(body);
    if (reminder !== undefined) void setReminder({ channelId: channel._id, author, ...reminder }).catch(isTold);
    else void sendMessage({ channelId: channel._id, author, body }).catch(isTold);
  }

  return (
    <section className="conversation" aria-label={`Messages in ${channel.name}`}>
      {data !== undefined && <Announcer messages={messages} author={author} />}
      <div className="scroller" ref={scroller} tabIndex={0} role="group" aria-label="Messages">
        <div className="messages">
          {data === undefined && error === undefined && <Skeleton label="Loading messages" rows={6} />}
          {data?.length === 0 && refusals.length === 0 && (
            <p className="empty">
              <strong>It is quiet in here.</strong>
              Write the first message in #{channel.name}.
            </p>
          )}
          <ol>
            {messages.map((message, position) => {
              const previous = messages[position - 1];
              const isNewDay = previous === undefined || !isSameDay(previous._creationTime, message._creationTime);
              return (
                <Fragment key={message._id}>
                  {isNewDay && <li className="day">{dayOf(message._creationTime)}</li>}
                  <MessageItem
                    message={message}
                    isMine={message.author === author}
                    isContinued={!isNewDay && continues(previous, message)}
                    onRemoved={() => composer.current?.focus()}
                  />
                </Fragment>
              );
            })}
            {refusals.map((refusal) => (
              <RefusedItem key={refusal.key} refusal={refusal} onLeft={() => composer.current?.focus()} />
            ))}
          </ol>
          {error !== undefined && <ErrorNotice error={error} />}
        </div>
      </div>
      <Company present={[...new Set(present)]} typing={typing.names} />
      <Composer ref={composer} channelName={channel.name} onSend={send} onTyping={typing.say} />
    </section>
  );
}
