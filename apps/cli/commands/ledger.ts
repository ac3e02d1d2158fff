/** `npm run ledger -- copy`: moves the ledger from catalog.db to PostgreSQL, or back. */

import { copyLedger } from "@stock-bazaar/db/copy-ledger";
import { readConfig } from "@stock-bazaar/process/config";
import { isLedgerUrl, ledgerUrlExample, withoutPassword } from "@stock-bazaar/process/ledger-url";
import { CommandError, exitCodes } from "../errors.ts";
import { print } from "../output.ts";
import { requireNoCatalog } from "../up/ports.ts";

export interface LedgerOptions {
  readonly to: string;
  readonly json?: boolean;
}

/** The value of `--to` for the file catalog.db in DATA_DIR. */
const toFile = "sqlite";

export async function copyTo({ to, json = false }: LedgerOptions): Promise<void> {
  const ledgerUrl = to === toFile ? undefined : to;
  if (ledgerUrl !== undefined && !isLedgerUrl(ledgerUrl)) {
    const must = `--to must be ${toFile}, or a URL like ${ledgerUrlExample} (got "${withoutPassword(to)}")`;
    throw new CommandError(must, exitCodes.usage);
  }
  const config = readConfig(process.env);
  await requireNoCatalog(config, "stop it first");
  const copied = await copyLedger(config, { dataDir: config.dataDir, ledgerUrl });
  if (json) {
    print(`${JSON.stringify(copied, undefined, 2)}\n`);
    return;
  }
  const { source, copy, aside, orders, stocks, rejections } = copied;
  const setting = ledgerUrl === undefined ? "remove LEDGER_URL" : `set LEDGER_URL=${copy} (with its password)`;
  const lines = [
    `${copy}: orders: ${orders}, stocks: ${stocks}, rejections: ${rejections}; all compared with ${source}`,
    ...(aside === undefined ? [] : [`The unused ledger that was there is now ${aside}`]),
    `Next: ${setting} for every service and command, for example in the file that sets them, then start the services.`,
    `${source} is unchanged. Keep it until the copy has traded; a catalog that is started on it afterwards refuses everything.`,
  ];
  print(`${lines.join("\n")}\n`);
}
