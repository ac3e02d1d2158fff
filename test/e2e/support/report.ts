import type { Traffic } from "@stock-bazaar/chaos/clients/traffic";

/** Prints what a failure cost the clients. It isn't asserted, because it depends on the machine's speed. */
export function report(what: string, traffic: Traffic): void {
  const { accepted, records, failed, longestSilenceMs } = traffic;
  const retried = records.filter(({ attempts }) => attempts > 1).length;
  process.stdout.write(
    `${what}: ${records.length} trades, ${accepted.length} accepted, ${failed.length} failed, ` +
      `${retried} retried by clients, longest silence ${Math.round(longestSilenceMs)} ms\n`,
  );
}
