/** What a starting catalog must learn about its earlier run: its leases, its log, and whether its file is the newest. */

import { readLedger } from "@stock-bazaar/chaos/checks/snapshot";
import { copyLedger } from "@stock-bazaar/chaos/faults/stored-ledger";
import { eventually } from "@stock-bazaar/cluster/wait";
import { openCatalogDatabase } from "@stock-bazaar/ledger/sqlite/database";
import { expect, test } from "vitest";
import { get, newTrade, trade } from "../support/requests.ts";
import { isOnPostgres } from "../support/tested-ledger.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

const longLease = { CACHE_LEASE_MS: "5000", REQUEST_TIMEOUT_MS: "30000" };

test("a catalog that restarts with a shorter lease waits for a frozen front-end that holds the longer one", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2, relays: true, environment: longLease });
  const [first = "", second = ""] = cluster.urls;
  await eventually("the first front-end answers from its cache", async () => {
    const { headers } = await get(`${first}/stocks/GameStart`);
    return headers.get("x-cache") === "hit";
  });
  cluster.service("front-end-1").freeze();
  // When it resumes, the cut hides from it that the catalog was down.
  cluster.relay({ from: "front-end-1", to: "catalog" }).cut("silent");
  await cluster.service("catalog").kill();
  cluster.service("catalog").start({ environment: { CACHE_LEASE_MS: "50" } });
  expect((await trade(second, newTrade())).status).toBe(200);
  cluster.service("front-end-1").thaw();
  const looked = get(`${first}/stocks/GameStart`);
  // An answer from the cache would have arrived by now.
  await get(`${first}/healthz`);
  cluster.relay({ from: "front-end-1", to: "catalog" }).mend();
  const { body } = await looked;
  expect(body).toMatchObject({ data: { name: "GameStart", quantity: 101 } });
  await expectInvariants(cluster);
});

test("with an old copy of its ledger, apart from the replicas' files, trades and lookups are refused until the right one is back", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2, catalogApart: true });
  for (let count = 0; count < 3; count += 1) expect((await trade(cluster.url, newTrade())).status).toBe(200);
  const old = await copyLedger(cluster);
  for (let count = 0; count < 3; count += 1) expect((await trade(cluster.url, newTrade())).status).toBe(200);

  await cluster.service("catalog").stop();
  await old.use();
  cluster.service("catalog").start();

  // Without a trade, the leader's last order or a front-end's seen head reveals the old copy.
  for (const url of cluster.urls) {
    await eventually("the catalog refuses everything", async () => {
      const { status, body } = await get(`${url}/readyz`);
      return status === 503 && JSON.stringify(body).includes("longer once");
    });
    expect(await get(`${url}/stocks/GameStart`)).toMatchObject({ status: 503 });
    expect(await get(`${url}/cluster`)).toMatchObject({ body: { data: { catalog: { state: "refusing" } } } });
  }
  expect((await trade(cluster.url, newTrade())).status).toBe(503);
  expect(await readLedger(cluster)).toHaveLength(3);

  await cluster.service("catalog").stop();
  await old.useNewest();
  cluster.service("catalog").start();
  await cluster.settled();
  const { body } = await trade(cluster.url, newTrade());
  expect(body).toEqual({ data: { transaction_number: 7 } });
  await expectInvariants(cluster);
});

// On a server, a reader blocks nothing.
test.skipIf(isOnPostgres)(
  "a catalog serves only after a checkpoint: it names a blocking reader, and SIGTERM ends the wait",
  async (context) => {
    const cluster = await Cluster.start(context);
    const catalog = cluster.service("catalog");
    const reader = openCatalogDatabase(cluster.catalogFolder, "read");
    context.onTestFinished(() => reader.close());
    reader.client.exec("BEGIN");
    reader.client.prepare("SELECT head FROM register").get();
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await catalog.kill();

    const isWaiting = () => catalog.newLines.some((line) => line.includes(`is read by process ${process.pid} (`));
    catalog.start();
    await eventually("the reader is named", isWaiting);
    expect((await get(`${cluster.url}/readyz`)).status).toBe(503);
    expect(await catalog.stop()).toEqual({ code: 0, signal: null });

    catalog.start();
    await eventually("the reader is named again", isWaiting);
    reader.client.exec("COMMIT");
    await cluster.settled();
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await expectInvariants(cluster);
  },
);
