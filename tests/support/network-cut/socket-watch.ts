import { readFileSync, readdirSync, readlinkSync } from "node:fs";
import type { Witness } from "./witness.ts";

/** Between two looks, milliseconds. */
const PERIOD = 5;

/** Whether an address of `/proc/net` is of this machine or none: words of four bytes in a PC's order, then the port. */
export function isInside(address: string): boolean {
  const words = address.split(":")[0] ?? "";
  const isLoopback4 = /^(0{16}FFFF0000)?[\dA-F]{6}7F$/.test(words);
  return isLoopback4 || /^0+$/.test(words) || words === "00000000000000000000000001000000";
}

/** What may vanish between a listing and a look. */
function orNothing<Value>(look: () => Value[]): Value[] {
  try {
    return look();
  } catch {
    return [];
  }
}

/** This process and all that come of it. */
function family(): number[] {
  const parents = new Map(
    readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .flatMap((name) =>
        orNothing(() => {
          const [, parent] = /\) \S (\d+)/.exec(readFileSync(`/proc/${name}/stat`, "utf8")) ?? [];
          return [[Number(name), Number(parent)] as const];
        }),
      ),
  );
  const isOfIt = (id: number | undefined): boolean =>
    id !== undefined && id > 0 && (id === process.pid || isOfIt(parents.get(id)));
  return [...parents.keys()].filter(isOfIt);
}

/**
 * For a machine that does not let its network be cut. Weaker than the kernel's count: it looks at the sockets of this
 * process and its descendants again and again, so that one which lives shorter than the time between two looks is not
 * seen, nor is a packet without a connection.
 */
export class SocketWatch implements Witness {
  readonly #seen = new Map<string, string>();
  readonly #timer: ReturnType<typeof setInterval> = setInterval(() => this.#look(), PERIOD);

  attempts(): readonly string[] {
    this.#look();
    return [...this.#seen.values()];
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const leadingOut = new Map<string, string>();
    for (const kind of ["tcp", "tcp6", "udp", "udp6"]) {
      for (const line of readFileSync(`/proc/net/${kind}`, "utf8").trim().split("\n").slice(1)) {
        const { 2: remote = "", 9: inode = "" } = line.trim().split(/\s+/);
        const socket = `socket:[${inode}]`;
        if (!isInside(remote) && !this.#seen.has(socket)) leadingOut.set(socket, `${kind} to ${remote}`);
      }
    }
    if (leadingOut.size === 0) return;
    const held = family().flatMap((id) =>
      orNothing(() => readdirSync(`/proc/${id}/fd`)).flatMap((fd) =>
        orNothing(() => [readlinkSync(`/proc/${id}/fd/${fd}`)]),
      ),
    );
    for (const socket of held) {
      const found = leadingOut.get(socket);
      if (found !== undefined) this.#seen.set(socket, found);
    }
  }
}
