import type { SqlStorage } from "../engine/sql.ts";
import type { EmptySeat } from "./room.ts";

/** Seats whose connection broke, kept over the object's sleep. */
export class EmptySeats {
  readonly #storage: SqlStorage;

  constructor(storage: SqlStorage) {
    this.#storage = storage;
    storage.exec("CREATE TABLE IF NOT EXISTS empty_seat(member TEXT PRIMARY KEY, seat TEXT NOT NULL) WITHOUT ROWID");
  }

  all(): EmptySeat[] {
    return this.#storage
      .exec("SELECT seat FROM empty_seat")
      .toArray()
      .map(({ seat }) => JSON.parse(seat as string) as EmptySeat);
  }

  keep(seat: EmptySeat): void {
    this.#storage.exec("INSERT OR REPLACE INTO empty_seat VALUES(?, ?)", seat.memberId, JSON.stringify(seat));
  }

  remove(memberId: string): void {
    this.#storage.exec("DELETE FROM empty_seat WHERE member = ?", memberId);
  }
}
