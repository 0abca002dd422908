import { useQueryResult } from "lunorash/react";
import type { ReactElement } from "react";
import { api } from "../lunora/_generated/api.js";
import { AboutPage } from "./components/about-page.js";
import { ChannelPage } from "./components/channel-page.js";
import { ConnectionNotice } from "./components/connection-notice.js";
import { HomePage } from "./components/home-page.js";
import { LatestPage } from "./components/latest-page.js";
import { MissingPage } from "./components/missing-page.js";
import { Sidebar } from "./components/sidebar.js";
import { SkipLink } from "./components/skip-link.js";
import { parseRoute, usePath } from "./router.js";
import type { Route } from "./router.js";

export function App(): ReactElement {
  const path = usePath();
  const channels = useQueryResult(api.channels.list);
  return (
    <>
      <SkipLink />
      <div className="app">
        <Sidebar channels={channels} path={path} />
        <main id="content" tabIndex={-1}>
          <ConnectionNotice />
          <Page key={path} route={parseRoute(path)} />
        </main>
      </div>
    </>
  );
}

function Page({ route }: { readonly route: Route }): ReactElement {
  switch (route.page) {
    case "home":
      return <HomePage />;
    case "channel":
      return <ChannelPage name={route.name} />;
    case "latest":
      return <LatestPage />;
    case "about":
      return <AboutPage />;
    case "missing":
      return <MissingPage />;
  }
}
