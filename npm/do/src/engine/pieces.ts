/** Characters of text in a piece: far below what a statement takes in one value. */
const PIECE_LENGTH = 250_000;

/** Cuts rows into pieces that fit into one statement as JSON. */
export function pieces<Row extends readonly unknown[]>(rows: readonly Row[]): Row[][] {
  const result: Row[][] = [];
  let piece: Row[] = [];
  let length = 0;
  for (const row of rows) {
    piece.push(row);
    for (const value of row) if (typeof value === "string") length += value.length;
    if (length < PIECE_LENGTH) continue;
    result.push(piece);
    piece = [];
    length = 0;
  }
  if (piece.length > 0) result.push(piece);
  return result;
}
