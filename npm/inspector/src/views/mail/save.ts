import { api } from "../../store/api.ts";

/** Gives a file of the API to the browser to keep. A plain link could not say who asks. */
export async function save(path: string, name: string): Promise<void> {
  const address = URL.createObjectURL(await api.blob(path));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read it when the click was dispatched; a while later it has ended.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
