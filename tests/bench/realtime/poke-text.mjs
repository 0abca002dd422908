// A poke with one row, as Lunora sends it: what the baselines broadcast has the same bytes.

const epoch = "00000000-0000-4000-8000-000000000000";

/**
 * @param {{id: string, channel: string, body: string, at: number}} row
 * @param {number} checkpoint
 */
export function pokeText({ id, channel, body, at }, checkpoint) {
  const pokeId = String(checkpoint);
  const key = id.slice(0, 22);
  const value = { _id: key, _creationTime: at, channel, body };
  const rowsPatch = [{ op: "insert", key, table: "messages", value }];
  return JSON.stringify({
    type: "batch",
    frames: [
      { type: "pokeStart", pokeId, epoch },
      { type: "pokePart", pokeId, shapeId: "watch", baseCheckpoint: checkpoint - 1, rowsPatch },
      { type: "pokeEnd", pokeId, checkpoint, epoch },
    ],
  });
}
