import { readFileSync } from "node:fs";
import type { Witness } from "./witness.ts";

/** The names of the network devices of this process. */
function devices(): string[] {
  const lines = readFileSync("/proc/net/dev", "utf8").trim().split("\n").slice(2);
  return lines.map((line) => line.split(":")[0]?.trim() ?? "");
}

/** `OutNoRoutes` of IPv4, which stands in the column of its name. */
function withoutRoute4(): number {
  const lines = readFileSync("/proc/net/snmp", "utf8").split("\n");
  const [names = [], values = []] = lines.filter((line) => line.startsWith("Ip: ")).map((line) => line.split(" "));
  return Number(values[names.indexOf("OutNoRoutes")]);
}

function withoutRoute6(): number {
  return Number(/^Ip6OutNoRoutes\s+(\d+)/m.exec(readFileSync("/proc/net/snmp6", "utf8"))?.[1]);
}

const times = (count: number, text: string): string[] => Array.from({ length: count }, () => text);

/**
 * The kernel, of the namespace that this process is in: it counts every connection and packet that has no route, whoever
 * tried and however short. Throws where there is another device than loopback, or nothing is counted.
 */
export class KernelWitness implements Witness {
  constructor() {
    const others = devices().filter((name) => name !== "lo");
    if (others.length > 0) throw new Error(`the network is not cut: there is ${others.join(", ")}`);
  }

  attempts(): readonly string[] {
    const [four, six] = [withoutRoute4(), withoutRoute6()];
    if (!Number.isInteger(four) || !Number.isInteger(six))
      throw new Error("the kernel does not count what has no route");
    return [...times(four, "no route, IPv4"), ...times(six, "no route, IPv6")];
  }

  close(): void {
    // The kernel goes on by itself.
  }
}
