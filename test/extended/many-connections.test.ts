/** Very many clients at one front-end, and one whose file descriptors run out. */

import { connect, type Socket } from "node:net";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { orderNumber } from "@stock-bazaar/client/requests";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { join } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import { expect, type TestContext, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { get, newTrade, trade } from "../support/requests.ts";

const listeners = 10_000;
const clients = 5000;

/** Whether this process may have that many more connections. */
function mayOpen(count: number): boolean {
  const limit = Number(Bun.spawnSync(["sh", "-c", "ulimit -n"]).stdout.toString());
  return Number.isNaN(limit) || limit >= count + 1000;
}

/** Opens connections, some at a time, and sends `text` on each. */
async function openMany(context: TestContext, port: number, count: number, text: string): Promise<Socket[]> {
  const sockets: Socket[] = [];
  context.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  for (let begun = 0; begun < count; begun += 100) {
    const some = Array.from({ length: Math.min(100, count - begun) }, () => connect(port, "127.0.0.1"));
    sockets.push(...some);
    await Promise.all(
      some.map(
        (socket) =>
          new Promise<void>((resolve) => {
            socket.once("connect", () => {
              if (text !== "") socket.write(text);
              resolve();
            });
            socket.once("error", () => resolve());
          }),
      ),
    );
  }
  return sockets;
}

const listen = "GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n";

test(`${listeners} listeners of events hear of an order, and one more is refused`, {
  timeout: 300_000,
}, async (context) => {
  if (!mayOpen(listeners)) context.skip(`ulimit -n must be at least ${listeners + 1000}`);
  const cluster = await Cluster.start(context);
  const port = Number(new URL(cluster.url).port);
  const greeted = new Set<Socket>();
  const told = new Set<Socket>();
  const sockets = await openMany(context, port, listeners, listen);
  let name = "no order yet";
  for (const socket of sockets)
    socket.on("data", (bytes: Buffer) => {
      const text = bytes.toString("latin1");
      if (text.includes("event: ")) greeted.add(socket);
      if (text.includes(name)) told.add(socket);
    });
  await eventually("every listener has events", () => greeted.size === listeners, { timeoutMs: 120_000 });
  const refused = await get(`${cluster.url}/events`);
  expect(refused.status).toBe(503);
  const { body } = await trade(cluster.url, newTrade());
  name = `"number":${Number(orderNumber(body)) + 1},`;
  await trade(cluster.url, newTrade());
  await eventually("every listener has heard of the order", () => told.size === listeners, { timeoutMs: 120_000 });
  for (const socket of sockets) socket.destroy();
  await eventually("there is room again", async () => (await trade(cluster.url, newTrade())).status === 200);
  await expectInvariants(cluster);
});

test(`${clients} clients trade at once, each on its own connection: no request fails`, {
  timeout: 300_000,
}, async (context) => {
  if (!mayOpen(2 * clients)) context.skip(`ulimit -n must be at least ${2 * clients + 1000}`);
  const cluster = await Cluster.start(context);
  const traffic = new Traffic({ urls: cluster.urls, clients });
  await traffic.more(3 * clients, { timeoutMs: 200_000 });
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("a front-end that runs out of file descriptors says so, refuses connections, and recovers by itself", async (context) => {
  const cluster = await Cluster.start(context);
  const [port = 0] = await freePorts(1);
  const command = bunCommand(join(root, "apps/front-end/main.ts"))
    .map((part) => `'${part}'`)
    .join(" ");
  const child = Bun.spawn(["sh", "-c", `ulimit -n 200; exec ${command}`], {
    cwd: root,
    env: { ...process.env, ...cluster.environment, FRONTEND_PORT: String(port), FRONTEND_LISTEN: undefined },
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.onTestFinished(() => child.kill("SIGKILL"));
  let log = "";
  void (async () => {
    for await (const bytes of child.stdout) log += new TextDecoder().decode(bytes);
  })();
  const url = `http://127.0.0.1:${port}`;
  const isReady = async () => (await get(`${url}/readyz`).catch(() => undefined))?.status === 200;
  await eventually("the front-end is ready", isReady);

  const sockets = await openMany(context, port, 300, "");
  await eventually("it says that descriptors run out", () => log.includes("file descriptors run out"));
  await eventually("a connection is refused", async () => !(await isReady()));
  // Those that have a connection are served.
  const open = sockets.find((socket) => socket.readyState === "open");
  let reply = "";
  open?.on("data", (bytes: Buffer) => void (reply += bytes.toString()));
  open?.write("GET /stocks/GameStart HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually("it answers", () => reply.startsWith("HTTP/1.1 200"));
  expect(log.split("file descriptors run out")).toHaveLength(2);

  for (const socket of sockets) socket.destroy();
  await eventually("it says that they are free again", () => log.includes("file descriptors are free again"));
  await eventually("it serves", isReady);
  expect((await trade(url, newTrade())).status).toBe(200);
  child.kill("SIGTERM");
  expect(await child.exited).toBe(0);
  await expectInvariants(cluster);
});
