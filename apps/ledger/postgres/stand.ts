/**
 * One of several catalogs on the same ledger (R11): waits while another one has it, takes it over, and has it until the
 * register shows another epoch. It reads the register at short intervals. A register that has not changed for `silenceMs` of
 * this process's own clock has no living holder: one that lives changes it, and one that wakes later finds another epoch.
 */

import { type Clock, pause } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { TakeOver } from "../store.ts";
import { forBeats, forService, inEpoch } from "./connection-use.ts";
import { explained, postgresFailure } from "./failures.ts";
import { hasEndedHere, holding, isSame, ownName, readSign, type Sign, tryTake } from "./holder.ts";
import { deleted } from "./life.ts";
import { Link } from "./link.ts";
import { createPostgresLedger, type PostgresLedgerOptions } from "./postgres-ledger.ts";

/** With the time of a look and of the takeover, a standby is active within two seconds. */
const defaultSilenceMs = 1500;
/** Beats and looks during that time. */
const beatsPerSilence = 5;
const looksPerSilence = 15;

export interface TakesOverOptions extends Omit<PostgresLedgerOptions, "epoch"> {
  /** The name of this process in the register, for people. */
  readonly self?: string;
  /** For how long the register stays unchanged before it has no living holder. All catalogs must have the same. */
  readonly silenceMs?: number;
}

export function takesOver(options: TakesOverOptions): TakeOver {
  const { clock, name, connect, broken, self = ownName(), silenceMs = defaultSilenceMs } = options;
  /** The epoch of the last stand of this process. */
  let former = 0;
  return async (ended, signal) => {
    const link = new Link(connect, forService);
    try {
      const epoch = await whenFree(link, { ...options, self, silenceMs, former }, signal);
      await link.close();
      former = epoch;
      let isOver = false;
      const over = (reason: BazaarError) => {
        if (isOver) return;
        isOver = true;
        ended(reason);
      };
      const passed = () => over(new BazaarError("NOT_ACTIVE", `another catalog has taken ${name} over`));
      const beats = new Link(connect, inEpoch(forBeats, epoch));
      const held = holding(beats, { clock, epoch, everyMs: silenceMs / beatsPerSilence, passed });
      const ledger = createPostgresLedger({
        ...options,
        epoch,
        // The register has another epoch, or a COMMIT stays without an answer: only a new stand can go on.
        broken: (error) => (error instanceof BazaarError ? over(error) : broken(error)),
      });
      return { ledger, release: () => held.release() };
    } catch (error) {
      await link.close();
      throw error;
    }
  };
}

interface Wait {
  readonly url: string;
  /** The ledger's name in messages. */
  readonly name: string;
  readonly clock: Clock;
  readonly self: string;
  readonly silenceMs: number;
  /** The last epoch of this process itself. */
  readonly former: number;
}

/** Takes the ledger as soon as it may. Resolves with the new epoch. */
async function whenFree(
  link: Link,
  { url, name, clock, self, silenceMs, former }: Wait,
  signal: AbortSignal,
): Promise<number> {
  const silence = new Silence(clock);
  for (;;) {
    if (signal.aborted) throw new BazaarError("UNAVAILABLE", "the catalog is stopping");
    try {
      const connection = await link.connection();
      try {
        const sign = await readSign(connection);
        if (sign === undefined) throw new BazaarError("INTERNAL_ERROR", "the register must have a row (got none)");
        const isFree = sign.holder === "" || sign.epoch === former || hasEndedHere(sign.holder);
        if (isFree || silence.ofMs(sign) >= silenceMs) {
          const epoch = await tryTake(connection, sign, self);
          if (epoch !== undefined) return epoch;
        }
      } catch (error) {
        if (postgresFailure(error) === "lost") connection.abandon();
        throw error;
      }
    } catch (error) {
      const failure = postgresFailure(error);
      if (failure === "missing") throw deleted(name);
      if (failure !== "lost" && failure !== "passing") throw explained(url, error);
      // While this process can't read the register, its silence proves nothing.
      silence.interrupted();
    }
    await pause(clock, silenceMs / looksPerSilence);
  }
}

/** For how long the register has been seen unchanged, by the own monotonic clock. */
class Silence {
  readonly #clock: Clock;
  #seen: { readonly sign: Sign; readonly sinceMs: number } | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ofMs(sign: Sign): number {
    const nowMs = this.#clock.nowMs();
    if (this.#seen === undefined || !isSame(this.#seen.sign, sign)) this.#seen = { sign, sinceMs: nowMs };
    return nowMs - this.#seen.sinceMs;
  }

  interrupted(): void {
    this.#seen = undefined;
  }
}
