/** All chance of a run comes from its seed, so that the same seed is the same run. */

/** sfc32, started from the seed by splitmix32. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  constructor(seed: number) {
    let state = seed >>> 0;
    const splitmix = () => {
      state = (state + 0x9e3779b9) >>> 0;
      let mixed = state;
      mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) >>> 0;
    };
    this.#a = splitmix();
    this.#b = splitmix();
    this.#c = splitmix();
    for (let round = 0; round < 12; round += 1) this.fraction();
  }

  /** From 0 to below 1. */
  fraction(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  }

  /** A generator of its own, for a part whose draws must not shift those of the others. */
  fork(): Random {
    return new Random(Math.floor(this.fraction() * 2 ** 32));
  }

  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  between(min: number, max: number): number {
    return min + this.fraction() * (max - min);
  }

  /** A whole number from `min` to `max`, both possible. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** Mostly small, now and then large. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.fraction());
  }

  pick<Item>(items: readonly Item[]): Item {
    if (items.length === 0) throw new Error("nothing to pick from");
    return items[this.integer(0, items.length - 1)] as Item;
  }
}
