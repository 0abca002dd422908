import type { JSX } from "preact";
import type { EventOf } from "../../api/events.ts";
import { faultTitle, isDisturbance } from "../../logic/fault-text.ts";
import { bytes, clock } from "../../logic/format.ts";
import { shardLabel } from "../../logic/names.ts";
import { now } from "../../store/clock.ts";

const SPAN = 60_000;
const LANES = 8;
const WIDTH = 600;
const LANE = 18;
const LABEL = 150;

interface Props {
  readonly pokes: readonly EventOf<"poke">[];
  readonly faults: readonly EventOf<"fault">[];
}

/** Whether a fault was of a lane: of its socket, of its object, or of all of a region. */
function isOf(fault: EventOf<"fault">, socket: string, object: string | undefined): boolean {
  if ("socket" in fault && fault.socket !== undefined) return fault.socket === socket;
  return fault.object === undefined || fault.object === object;
}

/** The last minute of the sockets that were poked last: a lane each, a mark for each poke, a longer one for a fault. */
export function SocketLanes({ pokes, faults }: Props): JSX.Element | null {
  const end = Math.max(now.value, pokes.at(-1)?.at ?? 0);
  const lanes = new Map<string, EventOf<"poke">[]>();
  for (let index = pokes.length - 1; index >= Math.max(0, pokes.length - 2000); index -= 1) {
    const poke = pokes[index];
    if (poke === undefined || poke.at < end - SPAN) break;
    const lane = lanes.get(poke.socket);
    if (lane !== undefined) lane.push(poke);
    else if (lanes.size < LANES) lanes.set(poke.socket, [poke]);
  }
  if (lanes.size === 0) return null;
  const recent = faults.filter((fault) => isDisturbance(fault) && fault.at >= end - SPAN);
  const x = (at: number): number => LABEL + ((at - (end - SPAN)) / SPAN) * (WIDTH - LABEL - 4);
  return (
    <figure class="lanes">
      <figcaption>Pokes of the last minute, a lane for each socket</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${lanes.size * LANE}`} aria-hidden="true">
        {[...lanes].map(([socket, marks], row) => (
          <g key={socket}>
            <text x={0} y={row * LANE + 12}>
              {socket.slice(0, 8)} {shardLabel(marks[0]?.object ?? "").slice(0, 16)}
            </text>
            <line x1={LABEL} x2={WIDTH} y1={row * LANE + 9} y2={row * LANE + 9} />
            {recent
              .filter((fault) => isOf(fault, socket, marks[0]?.object))
              .map((fault) => (
                <rect key={fault.n} class="fault" x={x(fault.at)} y={row * LANE} width={1.5} height={LANE}>
                  <title>
                    {clock(fault.at)}, {faultTitle(fault.fault)}
                  </title>
                </rect>
              ))}
            {marks.map((poke) => (
              <rect key={poke.n} x={x(poke.at)} y={row * LANE + 3} width={3} height={12} rx={1}>
                <title>
                  {clock(poke.at)}, {bytes(poke.bytes)}
                </title>
              </rect>
            ))}
          </g>
        ))}
      </svg>
    </figure>
  );
}
