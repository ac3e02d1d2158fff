/**
 * The list of front-ends that `/cluster` and the dashboard show. No promise rests on it: `Sessions` decides what caches
 * may serve. Pure bookkeeping: the time is an argument.
 */

import type { FrontEndState } from "@stock-bazaar/shared/api";

/** How long a front-end that disappeared without a goodbye is shown as away. */
const shownAwayMs = 10 * 60_000;

interface FrontEnd {
  readonly session: string;
  readonly dialect: string;
  lastLiveMs: number;
}

export class FrontEnds {
  readonly #byAddress = new Map<string, FrontEnd>();

  hello(address: string, dialect: string, session: string, nowMs: number): void {
    if (address !== "") this.#byAddress.set(address, { session, dialect, lastLiveMs: nowMs });
  }

  /** Removes a front-end that was stopped on purpose. */
  goodbye(session: string): void {
    for (const [address, frontEnd] of this.#byAddress) {
      if (frontEnd.session === session) this.#byAddress.delete(address);
    }
  }

  /** Sorted by address. `isOpen` returns true if the session still runs. */
  list(isOpen: (session: string) => boolean, nowMs: number): FrontEndState[] {
    const listed: FrontEndState[] = [];
    for (const [address, frontEnd] of this.#byAddress) {
      const live = isOpen(frontEnd.session);
      if (live) frontEnd.lastLiveMs = nowMs;
      const { dialect, lastLiveMs } = frontEnd;
      if (nowMs - lastLiveMs < shownAwayMs) listed.push({ address, live, dialect });
      else this.#byAddress.delete(address);
    }
    return listed.sort((a, b) => (a.address < b.address ? -1 : 1));
  }
}
