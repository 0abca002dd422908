import { coldStarts, edits } from "../dev-server.mjs";
import { atMost } from "../goals.mjs";
import { viteDev } from "../ours.mjs";
import { newest, onNode20, vitePlugin, wranglerDev } from "../peers/cloudflare.mjs";

const names = {
  plugin: "Vite + Cloudflare plugin 1.34",
  wrangler: "wrangler dev 4.86",
  newestPlugin: "Vite + Cloudflare plugin 1.64, Node 22",
  newestWrangler: "wrangler dev 4.164, Node 22",
  // No goal: it shows what the edit that ours gets costs the plugin. The goals are over its best case.
  deepPlugin: "the same plugin, leaf below a function file",
};

const cold = (prepare) => async (context) => coldStarts(await prepare(context));
const edit = (prepare) => async (context) => edits(await prepare(context));

const beside = (way) => ({
  [names.plugin]: way(vitePlugin(onNode20)),
  [names.wrangler]: way(wranglerDev(onNode20)),
  [names.newestWrangler]: way(wranglerDev(newest)),
  [names.newestPlugin]: way(vitePlugin(newest)),
});

/** Goals hold beside the releases for Node 20 and the newest alike. */
const pluginGoals = (limit) =>
  limit === undefined ? [] : [atMost(names.plugin, limit), atMost(names.newestPlugin, limit)];
const wranglerGoals = (limit) => [atMost(names.wrangler, limit), atMost(names.newestWrangler, limit)];

/** How much of the plugin's time ours may take, by number of files. */
const coldLimits = { 1: 0.6, 1000: 0.15 };
const editLimits = { 1: 1.1, 1000: 0.75 };

/** @param {import("../bench.mjs").Bench} bench */
export function addDevRows(bench) {
  for (const size of [1, 100, 1000]) {
    bench.add({
      id: "dev-cold",
      title: "start of the server to the first function answered",
      size,
      unit: "ms",
      better: "lower",
      goals: [...pluginGoals(coldLimits[size]), ...wranglerGoals(1)],
      ours: cold(viteDev),
      beside: beside(cold),
    });
  }
  for (const size of [1, 100, 1000]) {
    bench.add({
      id: "dev-edit",
      title: "save of a leaf module to its new code served",
      size,
      unit: "ms",
      better: "lower",
      goals: [...pluginGoals(editLimits[size]), ...wranglerGoals(0.1)],
      ours: edit(viteDev),
      beside: { ...beside(edit), [names.deepPlugin]: edit(vitePlugin(newest, "function")) },
      runs: 10,
      warmUp: 2,
    });
  }
}
