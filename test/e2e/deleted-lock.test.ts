/**
 * A lock file that is deleted, by `rm *.db-lock` or by a cleaner of temporary folders. Without a check, two bazaars could serve
 * the same databases.
 */

import { rmSync } from "node:fs";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderFile } from "@stock-bazaar/order-log/sqlite/database";
import { expect, test } from "vitest";
import { Cluster } from "./support/cluster.ts";

test.for(["catalog", "order-1"])(
  "%s ends when its lock is deleted, and a second one serves only after that",
  async (name, context) => {
    const cluster = await Cluster.start(context);
    const file = name === "catalog" ? catalogFile(cluster.catalogFolder) : orderFile(cluster.dataDir, 1);
    const [catalog, order] = await freePorts(2);
    const second = new Service(`second ${name}`, `apps/${name === "catalog" ? "catalog" : "order"}/main.ts`, {
      environment: {
        ...cluster.environment,
        ORDER_ID: "1",
        ORDER_REPLICAS: `1=127.0.0.1:${order}`,
        CATALOG_PORT: String(catalog),
      },
    });
    context.onTestFinished(() => void second.kill());
    rmSync(`${file}-lock`);
    second.start();
    await eventually("the second one serves", () => second.lines.some((line) => line.includes('"listening"')));
    const first = cluster.service(name);
    expect(first.isRunning).toBe(false);
    expect(first.exit).toEqual({ code: 1, signal: null });
    expect(first.lines.join("\n")).toMatch(/\.db-lock was (deleted|replaced) while this service held it/);
  },
);
