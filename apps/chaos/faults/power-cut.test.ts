import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { makeTradedDatabases } from "../../../test/support/traded-databases.ts";
import { takeOrders } from "./power-cut.ts";

test("a file loses its last orders, and its mark no longer says that it holds all", async () => {
  const dataDir = temporaryFolder();
  await makeTradedDatabases(dataDir);
  const file = new ReplicaFile(dataDir, 2);
  expect(file.end()).toMatchObject({ lastId: 12, isWhole: true });
  takeOrders(dataDir, 2, 5);
  expect(file.end()).toMatchObject({ lastId: 7, isWhole: false, isNew: false });
  takeOrders(dataDir, 2, 100);
  expect(file.end()).toMatchObject({ lastId: 0, isWhole: false, isNew: false });
});
