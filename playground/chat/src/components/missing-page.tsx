import type { ReactElement } from "react";
import { Link } from "./link.js";
import { PageHeader } from "./page-header.js";

export function MissingPage(): ReactElement {
  return (
    <>
      <PageHeader title="No such page" />
      <div className="prose">
        <p className="lead">This address leads nowhere.</p>
        <p>
          <Link href="/">Go to the channels</Link>
        </p>
      </div>
    </>
  );
}
