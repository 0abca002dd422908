import type { JSX } from "preact";
import { count } from "../logic/format.ts";
import { isPaused, togglePause, waiting } from "../store/timeline.ts";
import { Icon } from "./icon.tsx";

/** Holds what is live still. */
export function PauseButton(): JSX.Element {
  return (
    <button type="button" class="button small" aria-pressed={isPaused.value} onClick={togglePause}>
      <Icon name={isPaused.value ? "play" : "pause"} />
      {isPaused.value ? `Go on${waiting.value > 0 ? ` (${count(waiting.value)} wait)` : ""}` : "Pause"}
    </button>
  );
}
