/**
 * One trade, from its request to its reply, for `POST /orders` and the equivalent routes of earlier systems.
 *
 * The `TradeWords` of a route define how a trade is written and how its outcome is worded. The rules are the same for
 * all.
 *
 * This runs for every trade, so each step is counted. For a valid body:
 * - one route of Hono, which wraps the reply in two promises of its own;
 * - four headers, each read once: `x-request-id`, `content-type`, `content-length`, `idempotency-key`;
 * - one UUID, as the request's id and the trade's key; none if the client sent both;
 * - the body as JSON, parsed by Bun, and a few comparisons (`validTrade`), no schema;
 * - one promise to read the trade, one to place it (`Trades.place`, through all retries), one for the reply here, and one
 *   for the front door;
 * - one Response, from headers that are kept from one reply to the next: mostly, only `x-request-id` is set.
 */

import { idempotencyKeyHeader, idempotencyKeyPattern, replayedHeader } from "@stock-bazaar/contract/headers";
import type { Outcome, RejectionReason } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Bazaar } from "../bazaar.ts";
import { bodyTooLarge, Failure, invalidKey, keyReused, Unanswered, volumeFull } from "./failures.ts";
import type { Metrics, TradeOutcome } from "./metrics.ts";
import type { Reply } from "./reply.ts";
import { isPossibleStockName, type RequestId } from "./request.ts";
import { readTrade, type TradeForm } from "./trade-form.ts";

export interface TradeWords {
  readonly form: TradeForm;
  accepted(orderId: number): Reply;
  rejected(reason: RejectionReason, name: string): Reply;
}

const replayedHeaders = { [replayedHeader]: "true" } as const;

/** Rejects with the bazaar's error if the outcome is unknown, in an `Unanswered` if the key was generated here. */
export async function placeTrade(
  deps: { readonly bazaar: Bazaar; readonly metrics: Metrics },
  request: Request,
  requestId: RequestId,
  words: TradeWords,
): Promise<Reply> {
  const { bazaar, metrics } = deps;
  const count = (outcome: TradeOutcome, reply: Reply) => {
    metrics.countTrade(outcome);
    return reply;
  };

  const wish = await readTrade(request, words.form);
  if (wish instanceof Failure) return count("invalid_request", wish);
  const givenKey = request.headers.get(idempotencyKeyHeader);
  if (givenKey !== null && !idempotencyKeyPattern.test(givenKey)) return count("invalid_request", invalidKey);
  const { name, type, quantity } = wish;
  if (!isPossibleStockName(name)) return count("invalid_stockname", words.rejected("INVALID_STOCKNAME", name));

  // R3: a client without a key never repeats its trade, but the front-end does, through every failover. The id that a
  // request got here is as new as any key. An id from the client isn't: it may belong to an earlier trade.
  const key = givenKey ?? (requestId.minted ? requestId.text : Bun.randomUUIDv7());
  let outcome: Outcome;
  try {
    outcome = await bazaar.trade({ key, name, type, quantity, requestId: requestId.text }, givenKey === null);
  } catch (thrown) {
    metrics.countTrade(BazaarError.from(thrown).code === "INTERNAL_ERROR" ? "internal_error" : "unavailable");
    // The trade may have been applied: only a retry with the same key is safe.
    throw givenKey === null ? new Unanswered(thrown, { [idempotencyKeyHeader]: key }) : thrown;
  }

  const withReplay = (reply: Reply, replayed: boolean) =>
    replayed && givenKey !== null ? reply.with(replayedHeaders) : reply;
  switch (outcome.status) {
    case "accepted":
      return count("accepted", withReplay(words.accepted(outcome.orderId), outcome.replayed));
    case "rejected":
      return count(
        outcome.reason === "INVALID_STOCKNAME" ? "invalid_stockname" : "insufficient_quantity",
        withReplay(words.rejected(outcome.reason, name), outcome.replayed),
      );
    case "key-reused":
      return count("key_reused", keyReused);
    case "volume-full":
      return count("invalid_request", volumeFull);
  }
}

/** The failures of a trade that no dialect rewords, for the OpenAPI document. */
export const commonTradeFailures: readonly Failure[] = [invalidKey, volumeFull, bodyTooLarge, keyReused];
