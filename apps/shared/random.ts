/** Pseudo-random numbers that depend on the seed alone: the same on every machine. */

export class Random {
  #state: number;

  /** Different seeds, even neighbouring ones, give unrelated sequences. */
  constructor(...seed: readonly number[]) {
    this.#state = seed.reduce((state, part) => mix((state ^ part) + 0x9e37_79b9), 0);
  }

  /** From 0 up to 1, without 1 (mulberry32). */
  next(): number {
    return this.#next32() / 2 ** 32;
  }

  /** Both ends included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** From `min` up to `max`, without `max`. */
  between(min: number, max: number): number {
    return min + this.next() * (max - min);
  }

  /** Exponentially distributed: mostly below the mean, now and then far above it. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.next());
  }

  /** A separate sequence, for a part whose draws must not shift those of the others. */
  fork(): Random {
    return new Random(this.#next32());
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** A random entry. The list must have one. */
  pick<Entry>(list: readonly Entry[]): Entry {
    if (list.length === 0) throw new Error("pick must get a list with an entry (got an empty one)");
    return list[this.whole(0, list.length - 1)] as Entry;
  }

  /** Up to `count` different entries, in the order of the list. */
  sample<Entry>(list: readonly Entry[], count: number): Entry[] {
    const chosen = new Set<number>();
    while (chosen.size < Math.min(count, list.length)) chosen.add(this.whole(0, list.length - 1));
    return list.filter((_, index) => chosen.has(index));
  }

  #next32(): number {
    this.#state = (this.#state + 0x6d2b_79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }
}

/** Murmur3's last step: every bit of the result depends on every bit of the value. */
function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
