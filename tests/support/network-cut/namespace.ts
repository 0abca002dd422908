// A network that leads nowhere but to this machine.
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Where Chromium connects a datagram socket to with each profile, to learn whether IPv6 has a route; no packet is sent.
 * It gets one, to loopback: the connection is not counted then, and a packet that is sent there still is.
 */
const PROBED = "2001:4860:4860::8888/128";

/** Raises loopback, puts the resolver in its place, and becomes the command. */
const ENTER = `ip link set lo up && ip -6 route add ${PROBED} dev lo && mount --bind "$0" /etc/resolv.conf && exec "$@"`;

/**
 * The command line that runs `command` in namespaces of its own, whose network has loopback alone. `folder` gets the
 * configuration of a resolver that nobody can reach (RFC 5737): on a machine whose own one is on loopback, a look-up
 * would otherwise not lead out.
 */
export function withoutNetwork(folder: string, command: readonly string[]): readonly [string, ...string[]] {
  const resolver = join(folder, "resolv.conf");
  writeFileSync(resolver, "nameserver 192.0.2.53\n");
  return ["unshare", "--map-root-user", "--net", "--mount", "--", "sh", "-c", ENTER, resolver, ...command];
}

/** A folder for {@link withoutNetwork}. */
export const folderForIt = (): string => mkdtempSync(join(tmpdir(), "lunora-cut-"));

/** Why this machine does not let its network be cut; `undefined` where it does. */
export function whyNotCut(folder: string): string | undefined {
  const [command, ...rest] = withoutNetwork(folder, ["true"]);
  const { error, status, stderr } = spawnSync(command, rest, { encoding: "utf8" });
  if (error !== undefined) return error.message;
  return status === 0 ? undefined : stderr.trim() || `unshare ended with ${status}`;
}
