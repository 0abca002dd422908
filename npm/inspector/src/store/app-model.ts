import { computed, effect, signal } from "@preact/signals";
import type { ReadonlySignal, Signal } from "@preact/signals";
import type { AppModel } from "../api/app-model.ts";
import type { Refusal } from "../api/refusal.ts";
import { api } from "./api.ts";
import { status } from "./status.ts";
import { refusalFrom } from "./use-resource.ts";

/** The app as the toolchain reads it: tables, functions, shapes, findings. */
export const appModel: Signal<AppModel | undefined> = signal(undefined);
export const appRefusal: Signal<Refusal | undefined> = signal(undefined);

const generation: ReadonlySignal<number | undefined> = computed(() => status.value?.generation);

async function ask(): Promise<void> {
  try {
    appModel.value = await api.get<AppModel>("app");
    appRefusal.value = undefined;
  } catch (error) {
    appRefusal.value = refusalFrom(error);
  }
}

/** Asks once, and again whenever the worker was reloaded. Ends with the function it gives. */
export function followAppModel(): () => void {
  return effect(() => {
    if (generation.value !== undefined) void ask();
  });
}
