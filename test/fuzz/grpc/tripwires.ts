/**
 * Messages that the fuzzer must not send: between services that trust each other (docs/decisions/0024-mutual-tls.md) they are evidence
 * on which the bazaar must stop or wait, so what follows would be no fault.
 */

import type { Live } from "./live.ts";
import type { Fields } from "./methods.ts";

/** A hello may name the lease of an earlier life: the catalog waits that long after its start before it settles (R9). */
const foreignLeaseMaxMs = 500;
/** A replica adopts any later term (R1), and serves no earlier one. A term or two later is caught up by new takeovers. */
const laterTermsMax = 2;

/** Why the message must not be sent; `undefined` if it may. */
export function tripwireIn(method: string, message: Fields, live: Live): string | undefined {
  const { seen, last, term, leaseMs, leaseLife, upTo } = message as {
    readonly seen?: { readonly life: string; readonly head: number };
    readonly last?: string;
    readonly term?: number;
    readonly leaseMs?: number;
    readonly leaseLife?: string;
    readonly upTo?: number;
  };
  if (seen !== undefined && seen.life === live.life && seen.head > live.head)
    return "proves that the ledger was longer once: the catalog refuses everything (R2)";
  if (last !== undefined && namesLaterOrder(last, live))
    return "proves that the ledger has lost a replica's last order: the catalog refuses everything (R2)";
  if (method === "Settle" && Number(upTo) > live.head)
    return "names an order that doesn't exist yet: the catalog waits for it until the caller gives up (R10)";
  if (method === "SetLeader" && Number(term) > live.term + laterTermsMax)
    return "names a term that the replica can't reach soon: it serves nothing until then (R1)";
  if (leaseLife !== live.life && (leaseMs ?? 0) > foreignLeaseMaxMs)
    return "names a long lease of another life: the catalog settles nothing until it has expired (R9)";
  return undefined;
}

function namesLaterOrder(last: string, { term, head }: Live): boolean {
  try {
    const rows = JSON.parse(last) as readonly { readonly id?: unknown; readonly term?: unknown }[];
    return rows.some((row) => Number(row?.id) > head || Number(row?.term) > term);
  } catch {
    return false;
  }
}
