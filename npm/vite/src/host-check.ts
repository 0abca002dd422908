import { isIP } from "node:net";

function hostnameOf(host: string): string | undefined {
  try {
    return new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, "");
  } catch {
    return undefined;
  }
}

/** Whether a `Host` header names this machine or a host the developer allowed, by the rules Vite applies to pages. */
export function isAllowedHost(host: string | undefined, allowedHosts: readonly string[] | true): boolean {
  if (allowedHosts === true) return true;
  if (host === undefined) return false;
  const hostname = hostnameOf(host);
  if (hostname === undefined) return false;
  if (isIP(hostname) !== 0 || hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  return allowedHosts.some((allowed) =>
    allowed.startsWith(".") ? hostname === allowed.slice(1) || hostname.endsWith(allowed) : hostname === allowed,
  );
}

/**
 * Whether a WebSocket may be opened. A browser always sends `Origin`; a page of another origin must not
 * reach the app's data through the developer's machine. Programs other than browsers send none.
 */
export function isAllowedUpgrade(
  headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
  allowedHosts: readonly string[] | true,
): boolean {
  if (!isAllowedHost(headers.host, allowedHosts)) return false;
  if (headers.origin === undefined) return true;
  try {
    return new URL(headers.origin).host === headers.host;
  } catch {
    return false;
  }
}
