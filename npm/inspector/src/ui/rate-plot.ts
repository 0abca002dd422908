import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "../logic/format.ts";
import { rates } from "../store/timeline.ts";

const HEIGHT = 140;

/** A drawn chart. */
export interface RatePlot {
  /** `faults` are moments at which something was disturbed, epoch milliseconds. */
  show(now: number, faults: readonly number[]): void;
  remove(): void;
}

function optionsOf(width: number, drawn: (plot: uPlot) => void): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--text-soft"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
    font: "11px system-ui",
  };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    hooks: { draw: [drawn] },
    scales: { y: { range: (_plot, _low, high) => [0, Math.max(5, high * 1.2)] } },
    axes: [
      {
        ...axis,
        size: 28,
        space: 70,
        values: (_plot, splits) => splits.map((second) => clock(second * 1000).slice(0, 8)),
      },
      { ...axis, size: 44 },
    ],
    series: [{}, { stroke: colour("--accent"), fill: colour("--accent-soft"), width: 2, points: { show: false } }],
  };
}

/** A line through the chart for each moment that it shows. */
function drawFaults(plot: uPlot, faults: readonly number[]): void {
  const { ctx, bbox, scales } = plot;
  const { min = 0, max = 0 } = scales["x"] ?? {};
  ctx.save();
  ctx.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue("--bad").trim();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  for (const at of faults) {
    if (at / 1000 < (min ?? 0) || at / 1000 > (max ?? 0)) continue;
    const x = plot.valToPos(at / 1000, "x", true);
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.restore();
}

/** Draws the rates of an object into an element, in the colours of the theme. */
export function drawRates(home: HTMLElement, object: string): RatePlot {
  const data = (now: number): uPlot.AlignedData => {
    const { seconds, counts } = rates.series(object, now);
    return [seconds, counts];
  };
  let marked: readonly number[] = [];
  const options = optionsOf(home.clientWidth, (drawn) => drawFaults(drawn, marked));
  const plot = new uPlot(options, data(Date.now()), home);
  const observer = new ResizeObserver(() => plot.setSize({ width: home.clientWidth, height: HEIGHT }));
  observer.observe(home);
  return {
    show: (now, faults) => {
      marked = faults;
      plot.setData(data(now));
    },
    remove: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}
