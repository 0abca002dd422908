import { decodeValue, encodeValue } from "@lunora/protocol";
import { afterEach, describe, expect, test } from "vitest";

import { seed } from "../../../../../test-seed.ts";
import type { Loose } from "../../../../testing/loose.ts";
import { memoryAdmin } from "../../../../testing/memory-admin.ts";
import { MemoryShard } from "../../../../testing/memory-shard.ts";
import { Random } from "../../../../testing/random.ts";
import { isMember, ShapeOracle } from "../../../../testing/shape-oracle.ts";
import { OPERATORS, randomDocument, randomScenario, USERS } from "../../../../testing/shape-scenario.ts";
import { shaping } from "../../live/shaping.ts";

const ROWS = 1_000;
const SHAPES = 60;
/** Shapes that each row is asked about. */
const ASKED = 20;

const shards: MemoryShard[] = [];
afterEach(() => {
  for (const shard of shards.splice(0)) shard.sqlite.close();
});

/** Clauses without parts, wherever they stand. */
function leaves(clauses: readonly Loose[]): Loose[] {
  return clauses.flatMap((clause) => (clause.parts === undefined ? [clause] : leaves(clause.parts)));
}

describe("why a row is, or is not, in a shape", () => {
  test(`equals the oracle and what subscribers are sent, for ${ROWS} random rows, seed ${seed}`, async () => {
    const random = new Random(seed);
    const scenario = randomScenario(random, SHAPES);
    const shard = await new MemoryShard({ ...scenario.definition, shaping }).open();
    shards.push(shard);
    const ask = memoryAdmin(shard);
    const oracle = new ShapeOracle(scenario);
    const edit = async (op: string, table: string, more: object): Promise<Loose> =>
      decodeValue((await ask("inspect/edit", { op, table, ...more })).row);
    for (const user of ["u1", "u2", "u2", "u3"]) {
      const member = await edit("insert", "members", { document: { user, text: random.pick(["a", "b", ""]) } });
      oracle.members.set(member._id, member);
    }
    const rows: { readonly id: string; readonly table: (typeof scenario.tables)[number] }[] = [];
    for (let count = 0; count < ROWS; count += 1) {
      const table = random.pick(scenario.tables);
      let row = await edit("insert", table.name, { document: encodeValue(randomDocument(random, table)) });
      const id = row._id as string;
      if (table.isSoftDeleted && random.chance(0.1)) row = await edit("delete", table.name, { id });
      oracle.of(table).set(id, row);
      rows.push({ id, table });
    }
    // What each caller is really sent.
    const sent = new Map<string, Set<string>>();
    for (const user of USERS) {
      const client = shard.connect(undefined, user === null ? null : { userId: user });
      for (const { name, args } of scenario.shapes)
        client.send({ type: "shape_subscribe", id: name, shape: { name, args: encodeValue(args) } });
      await shard.settle();
      for (const { name } of scenario.shapes) sent.set(`${name} ${user}`, new Set());
      for (const { type, shapeId, rowsPatch } of client.frames)
        if (type === "pokePart") for (const { key } of rowsPatch) sent.get(`${shapeId} ${user}`)?.add(key);
    }
    const held = new Map<string, Set<boolean>>(OPERATORS.map((operator) => [operator, new Set()]));
    let members = 0;
    for (const { id, table } of rows) {
      const possible = scenario.shapes.filter((shape) => shape.table === table);
      for (let count = 0; count < ASKED; count += 1) {
        const shape = random.pick(possible);
        const user = random.pick(USERS);
        const verdict = await ask("inspect/why", {
          shape: shape.name,
          args: encodeValue(shape.args),
          table: table.name,
          id,
          identity: user === null ? null : { userId: user },
        });
        const condition = oracle.conditionOf(shape, user);
        const expected = isMember(oracle.of(table).get(id), condition);
        const what = `${shape.name} of ${user}, row ${id}: ${JSON.stringify(verdict)}`;
        expect(verdict.isMember, what).toBe(expected);
        expect(sent.get(`${shape.name} ${user}`)?.has(id), what).toBe(expected);
        expect(
          verdict.clauses.every(({ holds }: Loose) => holds === true),
          what,
        ).toBe(expected);
        if (expected) members += 1;
        for (const { clause, columns, holds } of leaves(verdict.clauses)) {
          const operator = clause.slice(`${columns[0]} `.length).split(" ")[0] as string;
          held.get(operator)?.add(holds);
        }
      }
    }
    // Neither always so nor never, and every operator among what decided, both ways.
    expect(members).toBeGreaterThan(ROWS);
    expect(members).toBeLessThan(ROWS * (ASKED - 1));
    for (const [operator, ways] of held) expect([operator, ways.size]).toEqual([operator, 2]);
  }, 600_000);
});
