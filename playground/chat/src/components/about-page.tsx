import type { ReactElement } from "react";
import { PageHeader } from "./page-header.js";

export function AboutPage(): ReactElement {
  return (
    <>
      <PageHeader title="About this app" />
      <div className="prose">
        <p className="lead">A small chat whose backend is a handful of typed functions on Durable Objects.</p>
        <h2>Where things are</h2>
        <dl>
          <dt>
            <code>lunora/schema.ts</code>
          </dt>
          <dd>Channels live together in one database; the messages of each channel have a database of their own.</dd>
          <dt>
            <code>lunora/messages.ts</code>
          </dt>
          <dd>
            <code>list</code> and <code>send</code> go to the channel’s database, <code>edit</code> and{" "}
            <code>remove</code> find it through the message’s id, and <code>latest</code> asks all of them.
          </dd>
          <dt>
            <code>src/components/conversation.tsx</code>
          </dt>
          <dd>
            <code>useQueryResult</code> keeps what is on screen up to date, and <code>useMutation</code> sends.
          </dd>
          <dt>
            <code>src/optimistic-updates.ts</code>
          </dt>
          <dd>Says what a change will look like, so that it is on screen before the server has it.</dd>
        </dl>
        <h2>Try this</h2>
        <p>
          Keep the page open, change a function below <code>lunora/</code> and save: the next answer comes from the new
          code, and every message is still there.
        </p>
        <p>
          Open the channel in a second tab and write in both. Then stop the server, write on, reload the page and start
          it again: what you wrote goes out once.
        </p>
        <h2>Keys</h2>
        <dl className="keys">
          <dt>
            <kbd>/</kbd>
          </dt>
          <dd>Write a message</dd>
          <dt>
            <kbd>Enter</kbd>
          </dt>
          <dd>Send, or save an edit</dd>
          <dt>
            <kbd>Shift</kbd> <kbd>Enter</kbd>
          </dt>
          <dd>New line</dd>
          <dt>
            <kbd>Esc</kbd>
          </dt>
          <dd>Leave an edit, a form or the menu</dd>
        </dl>
      </div>
    </>
  );
}
