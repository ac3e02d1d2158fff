import { writeFileSync } from "node:fs";
import { KeptMark } from "@stock-bazaar/order-log/sqlite/kept-mark";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { isKnownHere } from "./replicas-here.ts";

const [here, elsewhere] = [
  { host: "127.0.0.1", port: 6001 },
  { host: "order-1", port: 6001 },
];

test("a replica without orders here is known as empty by a file that was used, or on this machine by a new one", async () => {
  const replica = new ReplicaFile(temporaryFolder(), 1);
  const isKnown = () => [isKnownHere(replica, here), isKnownHere(replica, elsewhere)];
  expect(isKnown()).toEqual([false, false]);
  await replica.migrate();
  expect(isKnown()).toEqual([true, false]);
  const database = replica.open();
  expect(new KeptMark(database, { bootId: "boot", waitsForDisk: false }).isWhole).toBe(false);
  database.close();
  expect(isKnown()).toEqual([true, true]);
  writeFileSync(replica.file, "not a database");
  expect(isKnown()).toEqual([false, false]);
});
