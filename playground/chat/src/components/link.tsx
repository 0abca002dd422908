import type { ComponentProps, ReactElement } from "react";
import { navigate } from "../router.js";

/** A link within the app. Opens elsewhere with the usual keys. */
export function Link({ href, ...rest }: ComponentProps<"a"> & { readonly href: string }): ReactElement {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(href);
      }}
    />
  );
}
