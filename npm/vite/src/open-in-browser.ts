import { spawn } from "node:child_process";
import process from "node:process";

type Environment = Readonly<Record<string, string | undefined>>;

/** How a browser is opened here; `undefined` where there is no screen, or none is wanted (`BROWSER=none`). */
export function browserCommand(
  platform: NodeJS.Platform,
  environment: Environment,
): readonly [string, ...string[]] | undefined {
  const { BROWSER, DISPLAY, WAYLAND_DISPLAY, WSL_DISTRO_NAME } = environment;
  if (BROWSER === "none") return undefined;
  if (platform === "darwin") return BROWSER ? ["open", "-a", BROWSER] : ["open"];
  if (BROWSER) return [BROWSER];
  if (WSL_DISTRO_NAME) return ["wslview"];
  return DISPLAY || WAYLAND_DISPLAY ? ["xdg-open"] : undefined;
}

/** Opens an address. Resolves with whether a program took it; what the program says is not shown. */
export function openInBrowser(
  address: string,
  command: readonly [string, ...string[]] | undefined = browserCommand(process.platform, process.env),
): Promise<boolean> {
  if (command === undefined) return Promise.resolve(false);
  const [program, ...options] = command;
  return new Promise((resolve) => {
    const child = spawn(program, [...options, address], { detached: true, stdio: "ignore" });
    // It is another one's window from here on, and does not keep this process.
    child.unref();
    child.once("error", () => resolve(false));
    child.once("spawn", () => resolve(true));
  });
}
