/**
 * Replicas and catalogs whose file descriptors run out say so once, refuse connections, and accept them again by themselves.
 * Trades go on. `many-connections.test.ts` has the front-end.
 */

import { readdirSync } from "node:fs";
import { connect, type Socket } from "node:net";
import type { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { newTrade, trade } from "../support/requests.ts";

const linesWith = ({ newLines }: Service, text: string) => newLines.filter((line) => line.includes(text));

/** The new limit leaves room for `more` descriptors. */
function limitDescriptors({ pid }: Service, more: number): void {
  const limit = readdirSync(`/proc/${pid}/fd`).length + more;
  const { success } = Bun.spawnSync(["prlimit", `--pid=${pid}`, `--nofile=${limit}:`]);
  expect(success).toBe(true);
}

/** Resolves with `undefined` if the connection is refused. */
function openConnection(port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => resolve(socket));
    socket.on("error", () => resolve(undefined));
  });
}

test.skipIf(process.platform !== "linux" || Bun.which("prlimit") === null).each(["order-3", "catalog"])(
  "%s without free descriptors refuses connections, still trades, and recovers",
  async (name) => {
    const cluster = await Cluster.start({ onTestFailed, onTestFinished });
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    const service = cluster.service(name);
    const port = Number(/"port":(\d+)/.exec(linesWith(service, "listening").at(-1) ?? "")?.[1]);
    limitDescriptors(service, 120);
    const sockets: Socket[] = [];
    for (let socket = await openConnection(port); socket; socket = await openConnection(port)) sockets.push(socket);
    await eventually("it says so", () => linesWith(service, "file descriptors run out").length > 0);
    expect(sockets.length).toBeGreaterThan(10);
    expect((await trade(cluster.url, newTrade())).status).toBe(200);
    for (const socket of sockets) socket.destroy();
    await eventually("it accepts connections", () => linesWith(service, "file descriptors are free again").length > 0);
    await eventually("trades pass", async () => (await trade(cluster.url, newTrade())).status === 200);
    expect(linesWith(service, "file descriptors run out")).toHaveLength(1);
    await expectInvariants(cluster);
  },
);
