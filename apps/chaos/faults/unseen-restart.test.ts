import { readConfig } from "@stock-bazaar/process/config";
import { expect, test } from "vitest";
import { allowedLeasesMs } from "./unseen-restart.ts";

test.each([
  [500, [50, 200, 500]],
  [2000, [50, 200, 500, 1000]],
  [10_000, [50, 200, 500, 1000, 2000]],
])(
  "with a REQUEST_TIMEOUT_MS of %i the catalog starts with each lease that a fault may choose",
  (timeoutMs, leasesMs) => {
    expect(allowedLeasesMs(timeoutMs)).toEqual(leasesMs);
    for (const leaseMs of leasesMs) {
      const environment = { REQUEST_TIMEOUT_MS: String(timeoutMs), CACHE_LEASE_MS: String(leaseMs) };
      expect(readConfig(environment).cacheLeaseMs).toBe(leaseMs);
    }
  },
);
