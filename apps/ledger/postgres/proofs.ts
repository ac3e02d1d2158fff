/**
 * Proofs that what is read still counts. Without a proof, a process that another one has deposed would go on answering from
 * its memory and granting leases (R11), and after a failover a deposed primary would go on answering reads: there only a
 * write that is replicated synchronously is a proof.
 *
 * A proof must be sent after the call that needs it. One is under way at a time and serves all calls that waited when it was
 * sent, so their number costs nothing.
 */

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class Proofs {
  /** Sends a proof at once. Rejects if it fails. */
  readonly #send: () => Promise<unknown>;
  /** The calls for which no proof has been sent yet. */
  #waiting: Waiting[] = [];
  #isUnderWay = false;

  constructor(send: () => Promise<unknown>) {
    this.#send = send;
  }

  /** Resolves when a proof that was sent after this call has succeeded. Rejects like `send`. */
  prove(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      void this.#sendNext();
    });
  }

  /** To be called when a transaction has just sent its first statements. `found` rejects unless they find the own epoch. */
  carriedBy(found: Promise<unknown>): void {
    const carried = this.#waiting;
    this.#waiting = [];
    found.then(
      () => resolveAll(carried),
      () => {
        this.#waiting = [...carried, ...this.#waiting];
        void this.#sendNext();
      },
    );
  }

  async #sendNext(): Promise<void> {
    if (this.#isUnderWay || this.#waiting.length === 0) return;
    const served = this.#waiting;
    this.#waiting = [];
    this.#isUnderWay = true;
    try {
      await this.#send();
      resolveAll(served);
    } catch (error) {
      for (const { reject } of served) reject(error);
    }
    this.#isUnderWay = false;
    void this.#sendNext();
  }
}

function resolveAll(waiting: readonly Waiting[]): void {
  for (const { resolve } of waiting) resolve();
}
