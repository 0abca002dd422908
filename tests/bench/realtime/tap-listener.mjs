// Hears what a tap tells, as an inspector would, and keeps nothing.
import { createServer } from "node:http";

/**
 * @param {string} path of the unix socket
 * @param {boolean} isOpen whether it says that somebody looks
 */
export async function startTapListener(path, isOpen) {
  let posts = 0;
  const server = createServer((request, response) => {
    posts += 1;
    request.resume();
    request.on("end", () => response.writeHead(isOpen ? 200 : 204).end());
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve(undefined));
  });
  return {
    get posts() {
      return posts;
    },
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
