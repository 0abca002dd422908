const LANES = 8;

/** Sums in a lane stay exact up to here; carried before there are more. */
const CARRY_AFTER = 2 ** 20;

const encoder = new TextEncoder();

/** How many rows, and the sum of their hashes as 64 hexadecimal digits. */
export interface TableProof {
  readonly rows: number;
  readonly hash: string;
}

/**
 * The hash of a table: the sum modulo 2^256 of the SHA-256 of each row's canonical wire JSON. A sum, so that neither
 * the order of the rows, nor their pages, nor the shards they lie in matter.
 */
export class TableHash {
  /** 32 bits each, the least significant first. */
  readonly #lanes = new Float64Array(LANES);
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  /** Adds rows by their canonical JSON. */
  async add(texts: readonly string[]): Promise<void> {
    const digests = await Promise.all(texts.map((text) => crypto.subtle.digest("SHA-256", encoder.encode(text))));
    for (const digest of digests) {
      const view = new DataView(digest);
      for (let lane = 0; lane < LANES; lane += 1)
        this.#lanes[lane] = (this.#lanes[lane] as number) + view.getUint32((LANES - 1 - lane) * 4);
      this.#rows += 1;
      if (this.#rows % CARRY_AFTER === 0) this.#carry();
    }
  }

  #carry(): void {
    let carry = 0;
    for (let lane = 0; lane < LANES; lane += 1) {
      const sum = (this.#lanes[lane] as number) + carry;
      carry = Math.floor(sum / 2 ** 32);
      this.#lanes[lane] = sum - carry * 2 ** 32;
    }
  }

  proof(): TableProof {
    this.#carry();
    const hash = [...this.#lanes].map((lane) => lane.toString(16).padStart(8, "0")).toReversed();
    return { rows: this.#rows, hash: hash.join("") };
  }
}
