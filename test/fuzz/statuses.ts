/** Counts the answers by kind of input: they show whether the fuzzer still reaches what it is to reach. */

export class Statuses {
  readonly #counts = new Map<string, number>();

  count(kind: string, status: string): void {
    const name = `${kind} ${status}`;
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
  }

  /** `name` is a kind and a status: `http 200`. */
  of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  /** One line for each kind. */
  lines(): string[] {
    const kinds = new Map<string, string[]>();
    for (const [name, count] of [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [kind = "", ...status] = name.split(" ");
      kinds.set(kind, [...(kinds.get(kind) ?? []), `${status.join(" ")} ${count}`]);
    }
    return [...kinds].map(([kind, counts]) => `  ${kind}: ${counts.join(", ")}`);
  }
}
