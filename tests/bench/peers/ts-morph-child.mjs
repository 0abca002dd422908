// What a code generator on ts-morph does: finds the exported functions, their arguments and results, writes them down.
import { readdirSync, watch, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { answerQuestions } from "../question.mjs";

/** @type {typeof import("ts-morph")} */
let morph;
let project;
let directory;
let withTypes;
/** Text for each file, so that an edit asks the compiler about one file only. */
const entries = new Map();

/** Arguments as written in `.input({ … })`, from the innermost call of the chain. */
function inputText(expression) {
  let node = expression;
  while (morph.Node.isCallExpression(node)) {
    const callee = node.getExpression();
    if (!morph.Node.isPropertyAccessExpression(callee)) return undefined;
    if (callee.getName() === "input") return node.getArguments()[0]?.getText();
    node = callee.getExpression();
  }
  return undefined;
}

function read(file) {
  const source = project.getSourceFileOrThrow(file);
  const lines = [];
  for (const statement of source.getVariableStatements()) {
    if (!statement.isExported()) continue;
    for (const declaration of statement.getDeclarations()) {
      const input = inputText(declaration.getInitializer());
      if (input === undefined) continue;
      const type = withTypes
        ? declaration.getType().getText(declaration, morph.TypeFormatFlags.NoTruncation)
        : input.replaceAll(/\s+/g, " ");
      lines.push(`    ${declaration.getName()}: ${type};`);
    }
  }
  entries.set(basename(file, ".ts"), lines);
}

function write() {
  const modules = [...entries].filter(([, lines]) => lines.length > 0);
  const text = modules.map(([name, lines]) => `  ${name}: {\n${lines.join("\n")}\n  };`).join("\n");
  writeFileSync(join(directory, "_generated", "api.ts"), `export interface Api {\n${text}\n}\n`);
  return modules.reduce((sum, [, lines]) => sum + lines.length, 0);
}

function generate() {
  project = new morph.Project({
    compilerOptions: {
      strict: true,
      target: morph.ScriptTarget.ES2022,
      // Nothing that the files do not need: the browser's library alone costs a third of a second.
      lib: ["lib.es2022.d.ts"],
      types: [],
      module: morph.ModuleKind.ESNext,
      moduleResolution: morph.ModuleResolutionKind.Bundler,
      skipLibCheck: true,
    },
    skipAddingFilesFromTsConfig: true,
    skipFileDependencyResolution: true,
  });
  entries.clear();
  const files = readdirSync(directory)
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => join(directory, name));
  // One by one: as a list they would go through a glob matcher first.
  for (const file of files) project.addSourceFileAtPath(file);
  if (withTypes) project.addSourceFileAtPath(join(directory, "_generated", "server.ts"));
  for (const file of files) read(file);
  return write();
}

function update(file) {
  project.getSourceFileOrThrow(file).refreshFromFileSystemSync();
  read(file);
  write();
}

answerQuestions(async (question) => {
  switch (question.kind) {
    case "load": {
      morph = createRequire(join(question.packages, "package.json"))("ts-morph");
      return {};
    }
    case "generate": {
      ({ directory, types: withTypes } = question);
      const started = performance.now();
      const functions = generate();
      return { milliseconds: performance.now() - started, functions };
    }
    case "edit": {
      writeFileSync(question.file, question.text);
      const started = performance.now();
      update(question.file);
      return { milliseconds: performance.now() - started };
    }
    case "watch": {
      watch(directory, (_event, name) => {
        if (name?.endsWith(".ts")) update(join(directory, name));
      });
      return {};
    }
    default: {
      throw new Error(`\`${question.kind}\` is no question.`);
    }
  }
});
