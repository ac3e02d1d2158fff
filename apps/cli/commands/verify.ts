/** `npm run verify`: checks I1 to I3 in the databases, whether or not the services run, or with what the replicas tell. */

import { verify } from "@stock-bazaar/db/recovery/verify";
import { verifyServices } from "@stock-bazaar/db/recovery/verify-services";
import type { Check } from "@stock-bazaar/ledger/check";
import { readConfig } from "@stock-bazaar/process/config";
import { exitCodes } from "../errors.ts";
import { withReplicaServices } from "../replica-services.ts";

export interface VerifyOptions {
  readonly fromServices?: boolean;
  readonly json?: boolean;
}

const words: Readonly<Record<Check["outcome"], string>> = { kept: "ok    ", broken: "BROKEN", unread: "UNREAD" };

export async function verifyFiles({ fromServices = false, json = false }: VerifyOptions): Promise<void> {
  const config = readConfig(process.env);
  const checks = fromServices
    ? await withReplicaServices(config, "verify", (services) => verifyServices(config, services))
    : await verify(config);
  const ok = checks.every(({ differences }) => differences.length === 0);
  process.stdout.write(json ? `${JSON.stringify({ ok, checks }, undefined, 2)}\n` : checks.map(describe).join(""));
  if (!ok) process.exitCode = exitCodes.failed;
}

function describe({ promise, file, what, outcome, differences, note }: Check): string {
  const finding = outcome === "kept" ? `${file}: ${what}` : differences[0];
  return `${promise} ${words[outcome]} ${finding}${note === undefined ? "" : `\n          Note: ${note}`}\n`;
}
