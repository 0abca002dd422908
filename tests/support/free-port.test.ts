import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { Server } from "node:net";
import { networkInterfaces } from "node:os";
import { afterEach, expect, test } from "vitest";
import { freePort, portsFrom } from "./free-port.mjs";

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve));
});

function listen(port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    servers.push(server);
    server.once("error", reject).listen(port, host, resolve);
  });
}

test("a connection is never handed out the port of a server that is about to start", async () => {
  const [first] = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split("\t").map(Number);
  for (let count = 0; count < 100; count += 1) expect(await freePort()).toBeLessThan(first ?? 0);
});

const loopbacks = Object.values(networkInterfaces())
  .flatMap((addresses) => addresses ?? [])
  .filter((address) => address.internal && (address.address === "127.0.0.1" || address.address === "::1"));

test.each(loopbacks)("one that somebody listens on at $address is passed over", async ({ address }) => {
  const taken = await freePort();
  await listen(taken, address);
  expect(await portsFrom(taken)()).not.toBe(taken);
});

test("none is given twice, at once or one after the other, and after the last comes the first", async () => {
  const ports = portsFrom(32_760);
  const atOnce = await Promise.all(Array.from({ length: 50 }, () => ports()));
  expect(new Set([...atOnce, await ports()]).size).toBe(51);
  expect(Math.min(...atOnce)).toBeLessThan(20_100);
  expect(Math.max(...atOnce)).toBeLessThan(32_768);
});
