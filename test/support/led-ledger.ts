import type { LedgerStore } from "@stock-bazaar/ledger/store";
import { onTestFinished } from "vitest";

/** Makes a ledger with one stock, which replica 3 leads since term 1. `broken` collects its failures. */
export async function makeLedLedger(store: LedgerStore) {
  await store.migrate();
  await store.addStocks([{ name: "GameStart", priceCents: 1599, quantity: 100 }], () => {});
  const broken: unknown[] = [];
  const ledger = await store.open({ broken: (error) => broken.push(error) });
  onTestFinished(() => ledger.close());
  await ledger.acquire({ replica: 3, term: 0, last: undefined });
  return { ledger, broken };
}
