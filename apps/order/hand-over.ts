/**
 * A leader that stops asks a follower to lead before it leaves, as a front-end does when the leader is gone (R1). So no trade
 * waits until that is noticed. The request is a hint: the register decides who leads.
 */

import type { OrderApi } from "@stock-bazaar/shared/api";
import { type Clock, withDeadline } from "@stock-bazaar/shared/clock";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Logger } from "@stock-bazaar/process/log";
import type { Leadership } from "./follower.ts";

/** How long one follower may take. */
const handOverMs = 500;

export interface HandOverOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly peer: (replica: number) => Pick<OrderApi, "lead" | "setLeader"> | undefined;
}

/**
 * Asks these followers, one after the other, to end the term. Resolves with the new leadership, of which the other followers
 * are told, or with `undefined` if none leads: then the front-ends choose another leader when this one is gone.
 */
export async function handOver(
  { term: endedTerm, successors }: { readonly term: number; readonly successors: readonly number[] },
  { clock, logger, peer }: HandOverOptions,
): Promise<Leadership | undefined> {
  for (const leader of successors) {
    const asked = peer(leader)?.lead(endedTerm);
    if (!asked) continue;
    try {
      const { term } = await withDeadline(clock, handOverMs, asked, noAnswer);
      logger.info({ leader, term }, "handed the lead over");
      for (const other of successors)
        if (other !== leader)
          void peer(other)
            ?.setLeader({ term, leader })
            .catch(() => {});
      return { term, leader };
    } catch (error) {
      const { code, message } = BazaarError.from(error);
      logger.warn({ code, replica: leader }, `didn't take the lead over: ${message}`);
    }
  }
  return undefined;
}

function noAnswer(): BazaarError {
  return new BazaarError("UNAVAILABLE", `no answer in ${handOverMs} ms`);
}
