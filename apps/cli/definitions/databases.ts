/** Commands that work on the databases in DATA_DIR, and `up`, which runs the services on them. */

import { dialectNames, isDialectName } from "@stock-bazaar/contract/dialects";
import { Argument, type Command, InvalidArgumentError, Option } from "commander";
import type { ExportOptions } from "../commands/export.ts";
import type { ImportOptions } from "../commands/import.ts";
import type { LedgerOptions } from "../commands/ledger.ts";
import type { MigrateOptions } from "../commands/migrate.ts";
import type { RebuildCatalogOptions } from "../commands/rebuild-catalog.ts";
import type { SeedOptions } from "../commands/seed.ts";
import type { AlsoFrontEnd, UpOptions } from "../commands/up.ts";
import type { VerifyOptions } from "../commands/verify.ts";
import { define } from "../definition.ts";
import { collected, filled, wholeNumber } from "../options.ts";

const frontEndsMax = 9;
const portMax = 65_535;
const fileName = filled("the name of a file");

export function upCommand(): Command {
  return define({
    usage: "up",
    description: "migrate the databases, seed an empty catalog, and run all services until Ctrl-C",
    examples: [
      ["bazaar up", "everything on this machine, on the ports of the environment variables"],
      ["FRONTEND_PORT=9090 DATA_DIR=/srv/bazaar bazaar up", "with another port and folder"],
      ["FRONTEND_LISTEN=0.0.0.0:8080 bazaar up", "for clients on other machines: each of them may trade"],
      ["bazaar up --front-ends 3", "on FRONTEND_PORT and the two ports after it, if the machine has the cores"],
      [
        "CATALOG_ADDRESSES=127.0.0.1:6000,127.0.0.1:6010 LEDGER_URL=postgres://localhost/bazaar bazaar up",
        "a second catalog that stands by",
      ],
      ["bazaar up --dialect toy-store", "a front-end with the routes and replies of that system"],
      ["bazaar up --also streaming=26111,toy-store=1110", "two more front-ends, for the clients of those systems"],
    ],
    exits: {
      0: "stopped on request, and all services have ended",
      1: "failed, but another start may succeed",
      2: "an option or a variable is wrong, a port or a folder is in use, or a person must repair the databases",
    },
  })
    .option(
      "--front-ends <n>",
      "number of front-ends, on FRONTEND_PORT (and FRONTEND_LISTEN) and the ports after it",
      wholeNumber(1, frontEndsMax),
      1,
    )
    .addOption(
      new Option(
        "--dialect <name>",
        "routes and replies of the front-ends; default: FRONTEND_DIALECT, else bazaar",
      ).choices(dialectNames),
    )
    .option("--also <list>", "more front-ends, as dialect=port, separated by commas", alsoFrontEnds)
    .option(
      "--faults",
      "let the dashboard kill and freeze the leader and the active catalog (default: when front-ends are on a loopback address)",
    )
    .option("--no-faults", "don't let the dashboard do this")
    .action(async (options: UpOptions) => (await import("../commands/up.ts")).up(options));
}

export function migrateCommand(): Command {
  return define({
    usage: "migrate",
    description: "create the databases in DATA_DIR, or bring them up to date",
    examples: [
      ["bazaar migrate", "all four databases"],
      ["bazaar migrate --replica 2", "one replica, on a machine whose catalog is elsewhere"],
    ],
    exits: { 0: "the databases are up to date", 1: "a file can't be used" },
  })
    .option("--replica <id>", "only the database of this replica, for a machine whose catalog is elsewhere")
    .option("--json", "print the result as JSON")
    .action(async (options: MigrateOptions) => (await import("../commands/migrate.ts")).migrate(options));
}

export function seedCommand(): Command {
  return define({
    usage: "seed",
    description: "add stocks to the catalog; existing stocks stay unchanged",
    examples: [
      ["bazaar seed", "the ten stocks of db/stocks.csv"],
      ["bazaar seed --file my.csv", "other stocks: name,price,quantity, or a file of an earlier system"],
    ],
    exits: { 0: "the catalog has the stocks", 1: "there is no catalog, or the file has errors" },
  })
    .option("--file <csv>", "CSV file with the columns name,price,quantity; default: db/stocks.csv", fileName)
    .option("--json", "print the result as JSON")
    .action(async (options: SeedOptions) => (await import("../commands/seed.ts")).seed(options));
}

export function verifyCommand(): Command {
  return define({
    usage: "verify",
    description:
      "check in the databases that no unit and no order is lost, and that each replica's orders match the ledger",
    examples: [
      ["bazaar verify", "a line for each check; services may run meanwhile"],
      ["bazaar verify --json", "with more than the first difference of each check"],
      ["bazaar verify --from-services", "with the replicas in ORDER_REPLICAS, which may be on other machines"],
    ],
    exits: {
      0: "every promise is kept",
      1: "a promise is BROKEN, or a file or a replica is UNREAD because it can't be read",
    },
  })
    .option("--from-services", "ask the replicas' running services at ORDER_REPLICAS instead of reading their files")
    .option("--json", "print the checks as JSON, with more than the first difference of each")
    .action(async (options: VerifyOptions) => (await import("../commands/verify.ts")).verifyFiles(options));
}

export function rebuildCatalogCommand(): Command {
  return define({
    usage: "rebuild-catalog",
    description: "rebuild a lost catalog.db from the orders of the longest replica; the catalog must not run",
    examples: [
      ["bazaar rebuild-catalog", "with the stocks file that was kept when the catalog was seeded"],
      ["bazaar rebuild-catalog --file my.csv", "with another stocks file, if the kept one is lost as well"],
      ["bazaar rebuild-catalog --from-services", "with the replicas in ORDER_REPLICAS, which must be running"],
    ],
    exits: {
      0: "the catalog was rebuilt",
      1: "there is nothing to repair, or it is not possible; the message says why",
    },
  })
    .option("--file <csv>", "CSV file that the catalog was seeded with; default: the kept copy of it", fileName)
    .option("--from-services", "ask the replicas' running services at ORDER_REPLICAS instead of reading their files")
    .action(async (options: RebuildCatalogOptions) =>
      (await import("../commands/rebuild-catalog.ts")).rebuildCatalogFile(options),
    );
}

export function ledgerCommand(): Command {
  return define({
    usage: "ledger",
    description: "copy the ledger from catalog.db to PostgreSQL, or back, and compare every row; no catalog may run",
    examples: [
      ["bazaar ledger copy --to postgres://user:password@host/bazaar", "then set LEDGER_URL to that, and start"],
      ["bazaar ledger copy --to sqlite", "from the database in LEDGER_URL to catalog.db in DATA_DIR"],
    ],
    exits: {
      0: "the copy is complete and equal; the original is unchanged",
      1: "nothing was copied: a catalog runs, or the target was used before; the message says which",
    },
  })
    .addArgument(new Argument("<action>", "what to do").choices(["copy"]))
    .requiredOption(
      "--to <ledger>",
      "URL of a PostgreSQL database without a ledger, or sqlite for catalog.db in DATA_DIR",
    )
    .option("--json", "print the result as JSON")
    .action(async (_action: "copy", options: LedgerOptions) => (await import("../commands/ledger.ts")).copyTo(options));
}

export function rollingRestartCommand(): Command {
  return define({
    usage: "rolling-restart",
    description: "restart what `bazaar up` runs, one part after another, while it trades; from the program on disk",
    examples: [
      ["bazaar rolling-restart", "after an update of the program or of a certificate"],
      ["DATA_DIR=/srv/bazaar bazaar rolling-restart", "of the bazaar with that data folder"],
    ],
    exits: {
      0: "every part was restarted",
      1: "a part didn't come back, or the bazaar wasn't whole before; the rest runs on as it was",
      3: "no `bazaar up` runs on this data folder",
    },
  }).action(async () => (await import("../commands/rolling-restart.ts")).rollingRestart());
}

function alsoFrontEnds(text: string): AlsoFrontEnd[] {
  return text.split(",").map((entry) => {
    const [dialect = "", port = "", ...more] = entry.trim().split("=");
    const isPort = /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= portMax;
    if (!isDialectName(dialect) || !isPort || more.length > 0) {
      throw new InvalidArgumentError(
        `must be dialect=port, or several separated by commas, with one of ${dialectNames.join(", ")} and a port from 1 to ${portMax}`,
      );
    }
    return { dialect, port: Number(port) };
  });
}

export function importCommand(): Command {
  return define({
    usage: "import",
    description: "import the stocks and orders of an earlier system into databases without orders; no service may run",
    examples: [
      ["bazaar import --stocks stock_data.csv --dry-run", "show what would be imported, and write nothing"],
      [
        "bazaar import --stocks s.csv --orders log_1.txt --orders log_2.txt",
        "orders from two logs; equal lines count once",
      ],
      ["bazaar import --stocks s.csv --orders o.csv --renumber", "for numbers that start at 0, have gaps, or repeat"],
    ],
    exits: {
      0: "everything was imported, or can be (--dry-run)",
      1: "nothing was imported: a line is wrong, a service runs, or a database has orders; the message says which",
    },
  })
    .requiredOption("--stocks <file>", "CSV file of an earlier system with its stocks as they are now", fileName)
    .option(
      "--orders <files...>",
      "files with its orders: CSV, text logs, or files of `bazaar export`",
      collected(fileName),
    )
    .option("--renumber", "give all orders new numbers from 1, in the same order")
    .option(
      "--numbers <csv>",
      "file for the table of old and new numbers (default: DATA_DIR/order-numbers.csv)",
      fileName,
    )
    .option("--dry-run", "check everything and print what would be imported, but write nothing")
    .option("--json", "print the result as JSON, with every stock")
    .action(async (options: ImportOptions) => (await import("../commands/import.ts")).importIntoCatalog(options));
}

export function exportCommand(): Command {
  return define({
    usage: "export",
    description: "write the orders in DATA_DIR as CSV or JSON; services may run meanwhile",
    examples: [
      ["bazaar export --format csv --file orders.csv", "all orders, as a table"],
      ["bazaar export --format ndjson --after 1000", "orders after number 1000, one JSON object in each line"],
      ["bazaar export --format csv --replica 2", "the orders that replica 2 holds"],
    ],
    exits: { 0: "all orders were written", 1: "no database can be read, or the file can't be written" },
  })
    .addOption(
      new Option("--format <format>", "CSV with a header, or one JSON object in each line")
        .choices(["csv", "ndjson"])
        .makeOptionMandatory(),
    )
    .option("--after <n>", "only orders with a greater number", wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--file <file>", "write to this file instead of standard output", fileName)
    .option(
      "--replica <id>",
      "read the database of this replica (default: the one with the most orders)",
      wholeNumber(1, 99_999),
    )
    .action(async (options: ExportOptions) => (await import("../commands/export.ts")).exportOrders(options));
}
