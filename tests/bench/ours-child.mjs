// Holds the native addon, so that a sample can have a process of its own and a crash costs one subject.
import { writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { answerQuestions } from "./question.mjs";

const editLimit = 30_000;

/** @type {typeof import("@lunora/native")} */
let native;
/** Kept: an engine that nobody holds may be collected. */
let engine;
/** What to do with the next event. */
let onEvent = (_event) => {};

/** The next `generated` event after `act`; errors in the app fail it with their text. */
async function generatedAfter(act) {
  const late = new AbortController();
  try {
    const generated = new Promise((resolve, reject) => {
      onEvent = (event) => {
        if (event.type === "generated") resolve(event);
        if (event.type === "diagnostics" && event.diagnostics.some(({ severity }) => severity === "error")) {
          reject(new Error(event.rendered));
        }
      };
    });
    // It may fail while `act` is still under way.
    generated.catch(() => {});
    await act();
    const event = await Promise.race([generated, delay(editLimit, undefined, { signal: late.signal })]);
    if (event === undefined) throw new Error(`No generated files within ${editLimit} ms.`);
    return event;
  } finally {
    late.abort();
    onEvent = () => {};
  }
}

answerQuestions(async (question) => {
  switch (question.kind) {
    case "load": {
      native = await import("@lunora/native");
      return {};
    }
    case "codegen": {
      const started = performance.now();
      const { functions } = await native.codegen({ root: question.root });
      return { milliseconds: performance.now() - started, functions };
    }
    case "start": {
      await generatedAfter(async () => {
        engine = await native.Engine.start({ root: question.root, worker: false }, (event) => onEvent(event));
      });
      return {};
    }
    case "edit": {
      const { milliseconds } = await generatedAfter(async () => writeFileSync(question.file, question.text));
      return { milliseconds };
    }
    case "stop": {
      await engine.close();
      return {};
    }
    default: {
      throw new Error(`\`${question.kind}\` is no question.`);
    }
  }
});
