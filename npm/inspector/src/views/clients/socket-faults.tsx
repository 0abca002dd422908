import type { JSX } from "preact";

interface Props {
  readonly isBusy: boolean;
  readonly disturb: (fault: string, more?: Readonly<Record<string, unknown>>) => void;
}

/** What can be done to a socket in development, to see what its client does then. */
export function SocketFaults({ isBusy, disturb }: Props): JSX.Element {
  return (
    <>
      <button type="button" class="button small" disabled={isBusy} onClick={() => disturb("dropSocket")}>
        Drop
      </button>
      <button
        type="button"
        class="button small"
        title="The next poke is cut after its first frame"
        disabled={isBusy}
        onClick={() => disturb("cutPoke", { afterFrames: 1 })}
      >
        Cut mid-poke
      </button>
      <button
        type="button"
        class="button small"
        title="The next two frames change places"
        disabled={isBusy}
        onClick={() => disturb("swapFrames")}
      >
        Swap frames
      </button>
    </>
  );
}
