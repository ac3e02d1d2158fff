/** The bazaar of the HTTP tests: the real services in one process, with an empty ledger. */

import type { Bazaar } from "@stock-bazaar/front-end/bazaar";
import { createInProcessBazaar, type InProcessOptions } from "../../support/in-process.ts";

export interface TestBazaar {
  readonly bazaar: Bazaar;
  close(): Promise<void>;
}

const threeStocks: InProcessOptions["stocks"] = [
  { name: "GameStart", priceCents: 1599, quantity: 100 },
  { name: "FishCo", priceCents: 1000, quantity: 100 },
  { name: "BoarCo", priceCents: 2005, quantity: 100 },
];

/** By default, GameStart costs 15.99, FishCo 10.00, BoarCo 20.05, with 100 of each. There is no order yet. */
export function createTestBazaar(stocks = threeStocks): Promise<TestBazaar> {
  return createInProcessBazaar({ stocks });
}
