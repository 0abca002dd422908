import { atMost, fasterBy, under, within } from "../goals.mjs";
import { codegenCold, codegenEdit, codegenEditDisk } from "../ours.mjs";
import { fileEvent } from "../peers/file-event.mjs";
import { swcParse, swcParseOne } from "../peers/swc-parse.mjs";
import { tsMorphCold, tsMorphDisk, tsMorphEdit } from "../peers/ts-morph.mjs";

const full = 1000;

/** @param {import("../bench.mjs").Bench} bench */
export function addCodegenRows(bench) {
  for (const size of [1, 100, full]) {
    bench.add({
      id: "codegen-cold",
      title: "function files and schema read, types written, nothing warm",
      size,
      unit: "ms",
      better: "lower",
      goals:
        size === full
          ? [
              fasterBy("ts-morph, types", 30),
              fasterBy("ts-morph, syntax", 8),
              atMost("swc parse, 1 thread", 3),
              atMost("swc parse, 2 threads", 3),
            ]
          : [],
      ours: codegenCold,
      beside: {
        "ts-morph, types": tsMorphCold(true),
        "ts-morph, syntax": tsMorphCold(false),
        "swc parse, 1 thread": swcParse(1),
        "swc parse, 2 threads": swcParse(2),
      },
    });
  }
  bench.add({
    id: "codegen-edit",
    title: "work after an edit of one function file, everything warm",
    size: full,
    unit: "ms",
    better: "lower",
    goals: [under(2, "ms")],
    ours: codegenEdit,
    beside: { "ts-morph, warm": tsMorphEdit, "swc parse, that file": swcParseOne },
    runs: 10,
    warmUp: 3,
  });
  bench.add({
    id: "codegen-edit-disk",
    title: "save of one function file to its types on disk, through the watcher",
    size: full,
    unit: "ms",
    better: "lower",
    goals: [within("file event", 15, "ms")],
    ours: codegenEditDisk,
    beside: { "ts-morph on fs.watch": tsMorphDisk, "file event": fileEvent },
    runs: 10,
    warmUp: 3,
  });
}
