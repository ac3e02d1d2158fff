import type { Traffic } from "@stock-bazaar/chaos/clients/traffic";

/** What a failure cost the clients: printed, not asserted, as a speed depends on the machine. */
export function report(what: string, traffic: Traffic): void {
  const { accepted, records, failed, longestSilenceMs } = traffic;
  const retried = records.filter(({ attempts }) => attempts > 1).length;
  process.stdout.write(
    `${what}: ${records.length} trades, ${accepted.length} accepted, ${failed.length} failed, ` +
      `${retried} retried by clients, longest silence ${Math.round(longestSilenceMs)} ms\n`,
  );
}
