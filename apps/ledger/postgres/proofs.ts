/**
 * Proofs that the server at the other end of a connection is still the one that counts. A read proves nothing: after a
 * failover the deposed primary may answer for a while. A write that is replicated synchronously succeeds only where the
 * failover hasn't happened.
 *
 * A proof must be sent after the call that needs it. One is under way at a time, and serves all calls that waited when it
 * was sent, so their number costs nothing.
 */
export class Proofs {
  readonly #send: () => Promise<void>;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `send` rejects if the proof fails. */
  constructor(send: () => Promise<void>) {
    this.#send = send;
  }

  /** Settles like a proof that is sent from now on. */
  prove(): Promise<void> {
    if (this.#running === undefined) return this.#begin();
    this.#next ??= this.#running.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  #begin(): Promise<void> {
    this.#next = undefined;
    const running = this.#send().finally(() => {
      if (this.#running === running) this.#running = undefined;
    });
    this.#running = running;
    return running;
  }
}
