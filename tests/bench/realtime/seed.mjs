// Rows for the tables of the bench, made by SQLite itself.

/** Rows of one group of items. */
export const groupSize = 100;

/** 21 digits, and an end that the last character of 16 bytes in base64url can have. */
const id = "printf('%021dA', i)";
const numbers = (from, to) =>
  `WITH RECURSIVE n(i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i < ${to - 1})`;

/**
 * Statements that fill a table of the Lunora app, or the plain table with the same items.
 *
 * @param {"accounts" | "items" | "raw_items"} table
 * @param {number} count
 * @returns {string[]}
 */
export function seedStatements(table, count) {
  const all = numbers(0, count);
  const group = `'g' || (i / ${groupSize})`;
  switch (table) {
    case "accounts": {
      return [`${all} INSERT INTO accounts(id, _creationTime, doc) SELECT ${id}, i, '{"balance":1000}' FROM n`];
    }
    case "items": {
      return [
        `${all} INSERT INTO items(id, _creationTime, doc)
           SELECT ${id}, i, '{"group":"' || ${group} || '","value":' || i || '}' FROM n`,
      ];
    }
    default: {
      return [
        "CREATE TABLE raw_items(id TEXT PRIMARY KEY, grp TEXT NOT NULL, value REAL NOT NULL)",
        `${all} INSERT INTO raw_items SELECT ${id}, ${group}, i FROM n`,
        "CREATE INDEX raw_items_grp ON raw_items(grp)",
      ];
    }
  }
}

/**
 * The accounts of the raw objects.
 *
 * @param {number} count
 */
export const rawAccounts = (count) => `${numbers(0, count)} INSERT INTO accounts SELECT ${id}, 1000 FROM n`;
