/** Order of syncs and renames: after a power cut, names and contents that weren't synced may be missing, in any order. */

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join, relative } from "node:path";
import { afterAll, beforeEach, expect, test, vi } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { makeTradedDatabases } from "../test/support/traded-databases.ts";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { keptStocksFile } from "./kept-stocks.ts";
import { readStocks } from "./seed.ts";

const calls: string[] = [];
let folder = "";
let renamed = (_from: string) => {};
/** Runs before a hard link is created. */
let linking = (_to: string) => {};
const named = (path: unknown) =>
  relative(folder, String(path))
    .replace(/\.\d+\.tmp$/, ".tmp")
    .replace(/-\d{4}-.*Z/, "-aside");

vi.doMock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const open = new Map<number, string>();
  return {
    ...real,
    openSync: (path: string, flags: string) => {
      const descriptor = real.openSync(path, flags);
      open.set(descriptor, path);
      return descriptor;
    },
    fsyncSync: (descriptor: number) => {
      calls.push(`sync ${named(open.get(descriptor))}`);
      real.fsyncSync(descriptor);
    },
    renameSync: (from: string, to: string) => {
      calls.push(`rename ${named(from)} ${named(to)}`);
      real.renameSync(from, to);
      renamed(from);
    },
    linkSync: (from: string, to: string) => {
      calls.push(`link ${named(from)} ${named(to)}`);
      linking(to);
      real.linkSync(from, to);
    },
    writeFileSync: (path: string, content: string) => {
      calls.push(`write ${named(path)}`);
      real.writeFileSync(path, content);
    },
  };
});
/** Separate module instances: the other tests share theirs. */
const ownFiles: string = "./sqlite/files.ts?on-disk";
const ownReplace: string = "../apps/ledger/sqlite/replace.ts?on-disk";
const files = (await import(ownFiles)) as typeof import("@stock-bazaar/sqlite/files");
afterAll(() => {
  vi.doUnmock("node:fs");
});

beforeEach(() => {
  folder = temporaryFolder();
  calls.length = 0;
  renamed = () => {};
  linking = () => {};
});

function cannotLink(): never {
  throw new Error("EPERM: operation not permitted, link");
}

/** A new database in a temporary folder, and an old one that has its final name. */
function finishedBesideOld() {
  const database = join(folder, "catalog.db");
  mkdirSync(join(folder, "workshop"));
  const finished = join(folder, "workshop", "catalog.db");
  writeFileSync(finished, "new");
  writeFileSync(database, "old");
  return { database, finished };
}

test("a file that is written whole has its content synced before it gets its name, and its name synced before `put` returns", () => {
  files.prepareWhole(join(folder, "stocks.csv"), "new").put();
  expect(calls).toEqual(["write stocks.csv.tmp", "sync stocks.csv.tmp", "rename stocks.csv.tmp stocks.csv", "sync "]);
});

test("a database that was moved aside has its new name synced", () => {
  writeFileSync(join(folder, "catalog.db"), "old");
  calls.length = 0;
  files.putAside(join(folder, "catalog.db"));
  expect(calls).toEqual(["rename catalog.db catalog-aside.db", "sync "]);
});

test("a database that was put in place has its name synced", () => {
  mkdirSync(join(folder, "workshop"));
  writeFileSync(join(folder, "workshop", "catalog.db"), "new");
  calls.length = 0;
  files.putInPlace(join(folder, "workshop", "catalog.db"), join(folder, "catalog.db"));
  expect(calls.at(-1)).toBe("sync ");
});

test.each([
  ["with", () => {}],
  ["without", cannotLink],
])("a finished database takes the place of another on a file system %s hard links", (_case, link) => {
  const { database, finished } = finishedBesideOld();
  linking = link;
  const aside = files.putInPlace(finished, database) ?? "";
  expect(readFileSync(aside, "utf8")).toBe("old");
  expect(readFileSync(database, "utf8")).toBe("new");
});

test("a file that another process has created meanwhile isn't overwritten", () => {
  const { database, finished } = finishedBesideOld();
  linking = (to) => {
    if (to === database) writeFileSync(database, "another process's");
  };
  expect(() => files.putInPlace(finished, database)).toThrow("EEXIST");
  expect(readFileSync(database, "utf8")).toBe("another process's");
});

test("a file that another process has created meanwhile isn't overwritten without hard links either", () => {
  const { database, finished } = finishedBesideOld();
  renamed = (from) => {
    if (from === database) writeFileSync(database, "another process's");
  };
  linking = cannotLink;
  expect(() => files.putInPlace(finished, database)).toThrow(
    "must not exist (another process has created it meanwhile)",
  );
  expect(readFileSync(database, "utf8")).toBe("another process's");
});

test("a rebuilt catalog is synced before it gets its name", async () => {
  const dataDir = temporaryFolder();
  await makeTradedDatabases(dataDir);
  const catalog = catalogFile(dataDir);
  rmSync(catalog);
  folder = dataDir;
  const steps: string[] = [];
  vi.doMock("./sqlite/files.ts", async (original) => {
    const real = await original<typeof import("@stock-bazaar/sqlite/files")>();
    return {
      ...real,
      syncToDisk: (path: string) => {
        steps.push(`sync ${basename(path)}`);
        real.syncToDisk(path);
      },
      putInPlace: (finished: string, database: string) => {
        steps.push(`put in place ${basename(database)}`);
        return real.putInPlace(finished, database);
      },
    };
  });
  try {
    const { replaceCatalog } = (await import(ownReplace)) as typeof import("@stock-bazaar/ledger/sqlite/replace");
    await replaceCatalog(dataDir, { stocks: readStocks(keptStocksFile(dataDir)), pages: [] });
  } finally {
    vi.doUnmock("./sqlite/files.ts");
  }
  expect(steps.slice(0, 2)).toEqual(["sync catalog.db", "put in place catalog.db"]);
});
