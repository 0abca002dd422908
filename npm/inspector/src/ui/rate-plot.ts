import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock } from "../logic/format.ts";
import { rates } from "../store/timeline.ts";

const HEIGHT = 140;

/** A drawn chart. */
export interface RatePlot {
  show(now: number): void;
  remove(): void;
}

function optionsOf(width: number): uPlot.Options {
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

/** Draws the rates of an object into an element, in the colours of the theme. */
export function drawRates(home: HTMLElement, object: string): RatePlot {
  const data = (now: number): uPlot.AlignedData => {
    const { seconds, counts } = rates.series(object, now);
    return [seconds, counts];
  };
  const plot = new uPlot(optionsOf(home.clientWidth), data(Date.now()), home);
  const observer = new ResizeObserver(() => plot.setSize({ width: home.clientWidth, height: HEIGHT }));
  observer.observe(home);
  return {
    show: (now) => plot.setData(data(now)),
    remove: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}
