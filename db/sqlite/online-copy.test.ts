import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { catalogFile, openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { tradedCopies } from "../../test/support/traded-copies.ts";
import { connect } from "./connection.ts";
import { copyOnline } from "./online-copy.ts";

const traded = tradedCopies();

test("a copy is that of the moment at which it began, although another connection commits throughout", async () => {
  const dataDir = traded.copy();
  const writer = openCatalogDatabase(dataDir).client;
  // Several steps of the backup.
  writer.exec("CREATE TABLE filling (bytes BLOB); INSERT INTO filling VALUES (zeroblob(30000000))");
  writer.exec("CREATE TABLE later (number INTEGER)");
  const target = join(temporaryFolder(), "copy.db");
  let isCopied = false;
  const copying = copyOnline("catalog", catalogFile(dataDir), target).finally(() => {
    isCopied = true;
  });
  let commits = 0;
  for (; !isCopied && commits < 1000; commits += 1) {
    writer.exec("INSERT INTO later VALUES (1)");
    await setImmediate();
  }
  await copying;
  writer.close();
  const copy = connect(target, "read");
  expect(copy.prepare("SELECT count(*) AS rows FROM later").get()).toEqual({ rows: 0 });
  copy.close();
  expect(commits).toBeGreaterThan(1);
});
