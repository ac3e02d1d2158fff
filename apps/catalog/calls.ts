/** The calls of one `Apply`: reads the trades of all, and puts their outcomes back into one answer for each call. */

import type { CallAnswer, TradesCall } from "@stock-bazaar/shared/api";
import { packOutcomes, unpackTrades } from "@stock-bazaar/shared/batches";
import type { Outcome, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";

/** Larger batches are refused: a transaction stays short, and its orders fit into a message. A leader sends less. */
const batchTradesMax = 10_000;

export interface ReadCalls {
  /** The trades of all calls that can be read, in their order. */
  readonly trades: readonly Trade[];
  /** The keys that the ledger may hold (R3). */
  readonly mayBeKnown: readonly string[];
  /** `outcomes` in the order of `trades`. */
  readonly answersOf: (outcomes: readonly Outcome[]) => CallAnswer[];
}

/** A call that can't be read is refused alone. Throws INVALID_REQUEST if there are too many trades. */
export function readCalls(calls: readonly TradesCall[]): ReadCalls {
  const count = calls.reduce((sum, call) => sum + call.count, 0);
  if (count > batchTradesMax) {
    throw new BazaarError("INVALID_REQUEST", `a batch must have at most ${batchTradesMax} trades (got ${count})`);
  }
  const read = calls.map(readCall);
  const trades = read.flatMap((call) => (call instanceof BazaarError ? [] : call));
  const mayBeKnown = calls.flatMap(({ minted }, index) => {
    const call = read[index];
    return minted || call === undefined || call instanceof BazaarError ? [] : call.map(({ key }) => key);
  });
  return {
    trades,
    mayBeKnown,
    answersOf(outcomes) {
      let start = 0;
      return read.map((call) => {
        if (call instanceof BazaarError) return { refused: call };
        start += call.length;
        return { outcomes: packOutcomes(outcomes.slice(start - call.length, start)) };
      });
    },
  };
}

function readCall({ trades: text, count }: TradesCall): readonly Trade[] | BazaarError {
  try {
    const trades = unpackTrades(text);
    if (trades.length !== count) {
      return new BazaarError(
        "INVALID_REQUEST",
        `a call must have as many trades as its count, ${count} (got ${trades.length})`,
      );
    }
    // The ledger passes keys to SQLite as JSON, where a NUL ends the text.
    if (trades.some(({ key }) => key.includes("\0"))) {
      return new BazaarError("INVALID_REQUEST", "a key must not contain a NUL character");
    }
    // UTF-8 has no lone surrogates: two different keys would be stored as one, and the whole batch would fail.
    if (trades.some(({ key, name }) => !key.isWellFormed() || !name.isWellFormed())) {
      return new BazaarError("INVALID_REQUEST", "a key and a name must be Unicode text (got a lone surrogate)");
    }
    return trades;
  } catch (error) {
    return BazaarError.from(error);
  }
}
