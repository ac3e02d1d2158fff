/**
 * Two services on one database would each write over what the other has written. So the second one is refused, by whatever
 * name it opens the file, and names the process that has it.
 */

import { cpSync, linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { canMount } from "@stock-bazaar/cluster/small-disk";
import { commandOf } from "@stock-bazaar/sqlite/lock-holder";
import { describe, expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { bazaar } from "../support/command-line.ts";
import { newTrade, trade } from "../support/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

interface Way {
  readonly dataDir: string;
  /** A command before that of the service. */
  readonly via?: readonly string[];
}

function needsRoot(context: TestContext): void {
  if (!canMount()) context.skip("namespaces and mounts need root on Linux");
}

/** The other ways to a folder and its databases. */
const ways: readonly (readonly [name: string, way: (folder: string, context: TestContext) => Way])[] = [
  ["the same folder", (dataDir) => ({ dataDir })],
  ["a path with ..", (folder) => ({ dataDir: `${folder}/../${folder.split("/").at(-1)}/./` })],
  [
    "a link to the folder",
    (folder) => {
      const dataDir = join(temporaryFolder(), "link");
      symlinkSync(folder, dataDir);
      return { dataDir };
    },
  ],
  [
    "a link to each file",
    (folder) => {
      const dataDir = temporaryFolder();
      for (const name of ["catalog.db", "order-1.db"]) symlinkSync(join(folder, name), join(dataDir, name));
      return { dataDir };
    },
  ],
  [
    "a hard link to each file",
    (folder) => {
      const dataDir = temporaryFolder();
      for (const name of ["catalog.db", "order-1.db"]) linkSync(join(folder, name), join(dataDir, name));
      return { dataDir };
    },
  ],
  [
    "a bind mount of the folder",
    (folder, context) => {
      needsRoot(context);
      const dataDir = join(temporaryFolder(), "mounted");
      mkdirSync(dataDir);
      // The mount is private to the second service, and ends with it.
      return {
        dataDir,
        via: ["unshare", "--mount", "sh", "-c", `mount --bind ${folder} ${dataDir} && exec "$@"`, "sh"],
      };
    },
  ],
  [
    "other namespaces of processes and networks, as in a container",
    (dataDir, context) => {
      needsRoot(context);
      return { dataDir, via: ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork", "--mount-proc"] };
    },
  ],
];

describe("a second catalog and a second replica are refused", () => {
  test.for(ways)("by %s", async ([name, way], context) => {
    const cluster = await Cluster.start(context);
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    const { dataDir, via = [] } = way(cluster.dataDir, context);
    for (const [first, script, file] of [
      ["catalog", "apps/catalog/main.ts", "catalog.db"],
      ["order-1", "apps/order/main.ts", "order-1.db"],
    ] as const) {
      const [port] = await freePorts(1);
      const second = new Service(`second ${first}`, script, {
        environment: {
          ...cluster.environment,
          DATA_DIR: dataDir,
          ORDER_ID: "1",
          CATALOG_LISTEN: `127.0.0.1:${port}`,
          ORDER_LISTEN: `127.0.0.1:${port}`,
        },
        via,
      });
      second.start();
      context.onTestFinished(async () => {
        if (second.isRunning) await second.kill();
      });
      expect((await second.ended()).code).toBe(2);
      // A process of another namespace has no number here. Another name of a file has another lock.
      const isSeen = !name.includes("namespaces") && !name.includes("hard link");
      const { pid = 0 } = cluster.service(first);
      const holder = isSeen ? `, process ${pid} (${commandOf(pid)})` : "";
      // By a hard link, a catalog finds no log of the ledger, so it misses the orders that replicas hold.
      const told =
        name.includes("hard link") && first === "catalog"
          ? "catalog.db is empty, but replica "
          : `another service uses ${file} there${holder}; stop it, or choose another folder`;
      expect(second.lines).toEqual([expect.stringContaining(told)]);
    }
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    await expectInvariants(cluster);
  });
});

test("commands beside running services do their work, or are refused before they have changed anything", async (context) => {
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients: 4, persistent: true });
  await traffic.more(20);
  const { environment } = cluster;
  const run = (...args: string[]) => bazaar(args, { environment });
  for (const args of [["migrate"], ["seed"], ["verify"], ["export", "--format", "csv"]]) {
    const { exitCode, stderr } = await run(...args);
    expect({ args, exitCode, stderr }).toEqual({ args, exitCode: 0, stderr: "" });
  }
  const stocks = join(temporaryFolder(), "stocks.csv");
  writeFileSync(stocks, "name,price,quantity\nNewCo,1.00,5\n");
  for (const args of [["import", "--stocks", stocks], ["rebuild-catalog"]]) {
    const { exitCode, stderr } = await run(...args);
    expect({ args, exitCode, stderr }).toEqual({
      args,
      exitCode: 1,
      stderr: expect.stringMatching(/^[^\n]*(answers at|catalog\.db is held)[^\n]*stop [^\n]* first[^\n]*\n$/),
    });
  }
  await traffic.more(20);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("a copy of the folder isn't taken for it", async (context) => {
  const cluster = await Cluster.create(context);
  const dataDir = temporaryFolder();
  cpSync(cluster.dataDir, dataDir, { recursive: true });
  const catalog = cluster.service("catalog");
  catalog.start();
  const copy = new Service("copy", "apps/order/main.ts", {
    environment: { ...cluster.environment, DATA_DIR: dataDir, ORDER_ID: "1" },
  });
  copy.start();
  await expect.poll(() => copy.lines.some((line) => line.includes("listening")), { timeout: 20_000 }).toBe(true);
  expect(await copy.stop()).toEqual({ code: 0, signal: null });
});
