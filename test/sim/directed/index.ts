/**
 * Cases so rare that chance finds them once in thousands of seeds: each a short story in which everything happens at the
 * worst moment. They run as they are, and with a rule taken away, like the seeds.
 */

import { cacheCases } from "./cache.ts";
import type { DirectedCase } from "./directed-case.ts";
import { historyCases } from "./histories.ts";
import { leaseCases } from "./leases.ts";
import { replicaCases } from "./replicas.ts";

export const directedCases: readonly DirectedCase[] = [...cacheCases, ...leaseCases, ...historyCases, ...replicaCases];
