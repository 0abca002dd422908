// Ports for the servers of tests and of the bench.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/**
 * Below what systems hand out to connections by themselves (Linux from 32,768, others from 49,152): a connection that anyone
 * opens never takes such a port between the look here and the start of its server.
 */
const lowest = 20_000;
const end = 32_768;

/** A server is reached by either, and may listen on only one. */
const loopbacks = ["127.0.0.1", "::1"];

/**
 * @param {number} port
 * @param {string} host
 * @returns {Promise<boolean>}
 */
function isFree(port, host) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (/** @type {NodeJS.ErrnoException} */ error) => {
      if (error.code === "EADDRINUSE") resolve(false);
      // A machine without IPv6.
      else if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") resolve(true);
      else reject(error);
    });
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}

/**
 * Gives a port on which nobody listens, and that nobody is handed out who asks for any; none twice, before all were given.
 * @param {number} first
 */
export function portsFrom(first) {
  let next = first;
  return async () => {
    for (let tries = lowest; tries < end; tries += 1) {
      const port = next;
      next = port + 1 < end ? port + 1 : lowest;
      const free = await Promise.all(loopbacks.map((host) => isFree(port, host)));
      if (free.every(Boolean)) return port;
    }
    throw new Error(`No port from ${lowest} to ${end - 1} is free`);
  };
}

/** Where to begin is drawn by lot, since other processes look for ports at the same time. */
export const freePort = portsFrom(randomInt(lowest, end));
