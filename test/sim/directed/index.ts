/**
 * Cases that chance finds only once in thousands of seeds. Each is a short scenario in which every event happens at the worst
 * moment. Like the seeds, they run with all rules and with each mutation.
 */

import { cacheCases } from "./cache.ts";
import type { DirectedCase } from "./directed-case.ts";
import { historyCases } from "./histories.ts";
import { keyCases } from "./keys.ts";
import { leaseCases } from "./leases.ts";
import { powerCutCases } from "./power-cuts.ts";
import { replicaCases } from "./replicas.ts";
import { standbyCases } from "./standby.ts";

export const directedCases: readonly DirectedCase[] = [
  ...cacheCases,
  ...leaseCases,
  ...historyCases,
  ...replicaCases,
  ...keyCases,
  ...powerCutCases,
  ...standbyCases,
];
