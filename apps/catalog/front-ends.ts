/**
 * Which front-ends there are, for people who ask. No promise rests on it: what caches may serve is a matter of sessions.
 * Pure bookkeeping: the time comes in as an argument.
 */

import type { FrontEndState } from "@stock-bazaar/shared/api";

/** How long one that is gone without a goodbye is shown as away. */
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

  /** It has stopped, as it was told to: nobody misses it. */
  goodbye(session: string): void {
    for (const [address, frontEnd] of this.#byAddress) {
      if (frontEnd.session === session) this.#byAddress.delete(address);
    }
  }

  /** By address; `isOpen` tells of a session whether it still runs. */
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
