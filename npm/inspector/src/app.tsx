import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Frame } from "./frame/frame.tsx";
import { TokenPage } from "./frame/token-page.tsx";
import { followAppModel } from "./store/app-model.ts";
import { token } from "./store/session.ts";
import { askStatus, followStatus } from "./store/status.ts";
import { followTimeline } from "./store/timeline.ts";

/** Begins to follow the server as whoever holds the token; ends with the function it gives. */
function follow(held: string): () => void {
  let isWanted = true;
  const ends = [followStatus(), followAppModel(), () => (isWanted = false)];
  void askStatus().then((status) => {
    if (status !== undefined && isWanted) ends.push(followTimeline(held, status.timeline.first, status.timeline.next));
  });
  return () => ends.forEach((end) => end());
}

/** The inspector, or the question for its token. */
export function App(): JSX.Element {
  const held = token.value;
  useEffect(() => (held === undefined ? undefined : follow(held)), [held]);
  return held === undefined ? <TokenPage /> : <Frame />;
}
