/** Who may touch what: one at a time for each name, in the order of asking. */

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs the action when every earlier one that asked for one of these names has ended. */
  async alone(names: readonly string[], action: () => Promise<void>): Promise<void> {
    const earlier = names.flatMap((name) => this.#last.get(name) ?? []);
    // All names are taken in one go, so nobody holds one and waits for another.
    const done = Promise.all(earlier).then(action);
    const over = done.catch(() => {});
    for (const name of names) this.#last.set(name, over);
    await done;
  }
}
