/** Commands that work on the files in DATA_DIR, and the one that runs the services on them. */

import { dialectNames, isDialectName } from "@stock-bazaar/contract/dialects";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { ExportOptions } from "../commands/export.ts";
import type { ImportOptions } from "../commands/import.ts";
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
    description: "migrate, seed an empty catalog, and run all services until Ctrl-C",
    examples: [
      ["bazaar up", "everything on this machine, on the ports of the environment"],
      ["FRONTEND_PORT=9090 DATA_DIR=/srv/bazaar bazaar up", "with another port and folder"],
      ["FRONTEND_LISTEN=0.0.0.0:8080 bazaar up", "for clients on other machines, which may all trade then"],
      ["bazaar up --front-ends 3", "where there are cores for them: on FRONTEND_PORT and the two ports after it"],
      ["bazaar up --dialect toy-store", "a front-end that replies as that system did"],
      ["bazaar up --also streaming=26111,toy-store=1110", "beside the usual one, two for the clients of those systems"],
    ],
    exits: {
      0: "it was told to stop, and everything has",
      1: "something failed that another start may mend",
      2: "it was asked in a wrong way, a port or folder is in use, or a person has to mend the databases",
    },
  })
    .option(
      "--front-ends <n>",
      "on FRONTEND_PORT (and FRONTEND_LISTEN) and the ports after it",
      wholeNumber(1, frontEndsMax),
      1,
    )
    .addOption(
      new Option(
        "--dialect <name>",
        "how front-ends word their replies; default: FRONTEND_DIALECT, else bazaar",
      ).choices(dialectNames),
    )
    .option("--also <list>", "further front-ends, as dialect=port, separated by commas", alsoFrontEnds)
    .option(
      "--faults",
      "let the dashboard kill and freeze the leader (default: when front-ends listen on a loopback address)",
    )
    .option("--no-faults", "don't let it")
    .action(async (options: UpOptions) => (await import("../commands/up.ts")).up(options));
}

export function migrateCommand(): Command {
  return define({
    usage: "migrate",
    description: "create the databases in DATA_DIR, or bring them up to date",
    examples: [
      ["bazaar migrate", "all four"],
      ["bazaar migrate --replica 2", "one, on a machine whose catalog is elsewhere"],
    ],
    exits: { 0: "the databases are up to date", 1: "a file can't be used" },
  })
    .option("--replica <id>", "only that of this order replica: for a machine whose catalog is elsewhere")
    .option("--json", "write what was done as JSON")
    .action(async (options: MigrateOptions) => (await import("../commands/migrate.ts")).migrate(options));
}

export function seedCommand(): Command {
  return define({
    usage: "seed",
    description: "add stocks to the catalog; those that it has are left as they are",
    examples: [
      ["bazaar seed", "the ten of db/stocks.csv"],
      ["bazaar seed --file my.csv", "others: name,price,quantity, or as an earlier system wrote them"],
    ],
    exits: { 0: "the stocks are there", 1: "there is no catalog, or the file can't be read" },
  })
    .option("--file <csv>", "a CSV file with the columns name,price,quantity, in place of db/stocks.csv", fileName)
    .option("--json", "write what was done as JSON")
    .action(async (options: SeedOptions) => (await import("../commands/seed.ts")).seed(options));
}

export function verifyCommand(): Command {
  return define({
    usage: "verify",
    description: "check in the databases that every unit and every order is where it must be; exits with 1 if not",
    examples: [
      ["bazaar verify", "a line for each check, beside running services too"],
      ["bazaar verify --json", "all differences, not only the first of each check"],
    ],
    exits: { 0: "every promise is kept", 1: "one is BROKEN, or a file is UNREAD: nobody could look" },
  })
    .option("--json", "write what was checked as JSON, with more than the first difference of each check")
    .action(async (options: VerifyOptions) => (await import("../commands/verify.ts")).verifyFiles(options));
}

export function rebuildCatalogCommand(): Command {
  return define({
    usage: "rebuild-catalog",
    description: "make a lost catalog.db again from the orders of the longest replica; the catalog must not run",
    examples: [
      ["bazaar rebuild-catalog", "from what was kept beside it when it was seeded"],
      ["bazaar rebuild-catalog --file my.csv", "where that is lost as well"],
    ],
    exits: { 0: "the catalog is there again", 1: "there is nothing to mend, or it can't be mended; it says why" },
  })
    .option("--file <csv>", "what it was seeded with, in place of the file that was kept beside it", fileName)
    .action(async (options: RebuildCatalogOptions) =>
      (await import("../commands/rebuild-catalog.ts")).rebuildCatalogFile(options),
    );
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
    description: "take in the stocks and orders of an earlier system, into databases without orders; nothing may run",
    examples: [
      ["bazaar import --stocks stock_data.csv --dry-run", "what would be imported; nothing is written"],
      ["bazaar import --stocks s.csv --orders log_1.txt --orders log_2.txt", "equal lines of several logs count once"],
      ["bazaar import --stocks s.csv --orders o.csv --renumber", "numbers that start at 0, have gaps, or come twice"],
    ],
    exits: {
      0: "everything was imported, or would be",
      1: "nothing was imported: it says which line is wrong, which service runs, or which database has orders",
    },
  })
    .requiredOption("--stocks <file>", "the stocks as they are now: any CSV file of an earlier system", fileName)
    .option(
      "--orders <files...>",
      "its orders: CSV, text log, or what `bazaar export` has written",
      collected(fileName),
    )
    .option("--renumber", "number all orders anew, from 1, in the order of their numbers")
    .option(
      "--numbers <csv>",
      "where to write which number became which (default: DATA_DIR/order-numbers.csv)",
      fileName,
    )
    .option("--dry-run", "check everything and say what would be imported, but write nothing")
    .option("--json", "write what was imported as JSON, with every stock")
    .action(async (options: ImportOptions) => (await import("../commands/import.ts")).importIntoCatalog(options));
}

export function exportCommand(): Command {
  return define({
    usage: "export",
    description: "write the orders in DATA_DIR as CSV or JSON; services may run meanwhile",
    examples: [
      ["bazaar export --format csv --file orders.csv", "all orders, as a table"],
      ["bazaar export --format ndjson --after 1000", "those after number 1000, an object in each line"],
      ["bazaar export --format csv --replica 2", "what replica 2 holds"],
    ],
    exits: { 0: "all orders were written", 1: "no orders can be read here, or the file can't be written" },
  })
    .addOption(
      new Option("--format <format>", "a table with a header, or an object in each line")
        .choices(["csv", "ndjson"])
        .makeOptionMandatory(),
    )
    .option("--after <n>", "only orders with a greater number", wholeNumber(0, Number.MAX_SAFE_INTEGER), 0)
    .option("--file <file>", "write into this file in place of standard output", fileName)
    .option(
      "--replica <id>",
      "of this replica's file (default: the file here with the most orders)",
      wholeNumber(1, 99_999),
    )
    .action(async (options: ExportOptions) => (await import("../commands/export.ts")).exportOrders(options));
}
