/** Locks by name: one action at a time for each name, in the order of the calls. */

export class Turns {
  readonly #last = new Map<string, Promise<void>>();

  /** Runs the action once every earlier action with one of these names has ended. */
  async alone(names: readonly string[], action: () => Promise<void>): Promise<void> {
    const earlier = names.flatMap((name) => this.#last.get(name) ?? []);
    // All names are taken at once, so there is no deadlock: no action holds a name while it waits for another.
    const done = Promise.all(earlier).then(action);
    const over = done.catch(() => {});
    for (const name of names) this.#last.set(name, over);
    await done;
  }
}
