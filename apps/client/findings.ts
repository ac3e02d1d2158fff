/** Collects messages about problems: counts all of them and keeps the first ones. */

const keptMax = 20;

export class Findings {
  readonly #texts: string[] = [];
  #count = 0;

  add(text: string): void {
    this.#count += 1;
    if (this.#texts.length < keptMax) this.#texts.push(text);
  }

  get count(): number {
    return this.#count;
  }

  get texts(): readonly string[] {
    return this.#texts;
  }
}
