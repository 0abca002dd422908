import { signal } from "@preact/signals";
import type { Signal } from "@preact/signals";

const KEY = "lunora.inspector.theme";
const THEMES = ["system", "light", "dark"] as const;

export type Theme = (typeof THEMES)[number];

const isTheme = (value: string | null): value is Theme => THEMES.includes(value as Theme);
const stored = localStorage.getItem(KEY);

/** What was chosen; `system` follows the machine. */
export const theme: Signal<Theme> = signal(isTheme(stored) ? stored : "system");

theme.subscribe((value) => {
  if (value === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = value;
  localStorage.setItem(KEY, value);
});

/** System, light, dark, and again. */
export function nextTheme(): void {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length] ?? "system";
}
