/** The traces of trades that are passed on as text. */

import { currentTracing } from "@stock-bazaar/process/tracing";
import type { Trace } from "@stock-bazaar/process/traces";
import type { TradesCall } from "@stock-bazaar/shared/api";
import { unpackTrades } from "@stock-bazaar/shared/batches";
import type { Trade } from "@stock-bazaar/shared/domain";

/** Reads the calls only if traces are on. A call that can't be read has none: the catalog refuses it. */
export function tracesOfCalls(calls: readonly TradesCall[]): Trace[] {
  return currentTracing()?.tracesOf(calls.flatMap(readable)) ?? [];
}

function readable({ trades }: TradesCall): readonly Trade[] {
  try {
    return unpackTrades(trades);
  } catch {
    return [];
  }
}
