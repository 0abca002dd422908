import type { JSX } from "preact";
import { Empty } from "../ui/empty.tsx";
import { Page } from "../ui/page.tsx";

export function MissingPage(): JSX.Element {
  return (
    <Page title="Nothing is here">
      <Empty title="This address leads to no view">
        The menu leads to all of them; <kbd>?</kbd> lists their keys.
      </Empty>
    </Page>
  );
}
