import { useEffect, useRef } from "react";
import type { ReactElement, ReactNode } from "react";
import { wasNavigated } from "../router.js";

interface PageHeaderProps {
  readonly title: string;
  readonly children?: ReactNode;
}

/** Names the page to eyes, to the browser's tab, and to screen readers when it was navigated to. */
export function PageHeader({ title, children }: PageHeaderProps): ReactElement {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · Lunora chat`;
  }, [title]);
  useEffect(() => {
    if (wasNavigated()) heading.current?.focus();
  }, []);
  return (
    <div className="page-header">
      <h1 ref={heading} tabIndex={-1} className="clipped">
        {title}
      </h1>
      {children !== undefined && <p className="clipped">{children}</p>}
    </div>
  );
}
