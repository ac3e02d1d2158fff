/** Peers that accept a connection and never answer on it: the machine behind it is gone, or its process was frozen. */

import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import * as grpc from "@grpc/grpc-js";
import { CatalogService } from "@stock-bazaar/proto/generated/bazaar";
import { catalogVariables } from "@stock-bazaar/process/addresses";
import { expect, onTestFinished, test } from "vitest";
import { callUnary, clientOptions } from "./client.ts";
import { FreshChannel } from "./fresh-channel.ts";
import { serveUnary, startServer } from "./server.ts";

const connectMs = 200;
const patientMs = 5000;

/** A way to a catalog on which the first `silent` connections get no answer. */
async function startWay(silent: number) {
  const server = await startServer(
    { host: "127.0.0.1", port: 0, variables: catalogVariables },
    {
      definition: CatalogService,
      implementation: {
        getRegister: serveUnary(async () => ({ term: 7, leader: 3, head: 42, life: "", obstacle: "", stocks: 1 })),
      },
      drain() {},
    },
  );
  const sockets: Socket[] = [];
  let connections = 0;
  const way = createServer((near) => {
    sockets.push(near);
    near.on("error", () => near.destroy());
    connections += 1;
    if (connections <= silent) return;
    const far = createConnection(server.port);
    sockets.push(far);
    near.pipe(far).pipe(near);
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
  const client = new grpc.Client(
    `127.0.0.1:${(way.address() as AddressInfo).port}`,
    grpc.credentials.createInsecure(),
    { ...clientOptions, channelFactoryOverride: (...channel) => new FreshChannel(connectMs, ...channel) },
  );
  onTestFinished(async () => {
    client.close();
    for (const socket of sockets) socket.destroy();
    way.close();
    await server.stop(0);
  });
  const ask = () => callUnary(client, CatalogService.getRegister, { seen: undefined, last: "" }, patientMs);
  return { ask, connections: () => connections };
}

test("a connection that isn't answered is given up, and the next call gets an answer on another one", async () => {
  const { ask, connections } = await startWay(1);
  await expect(ask()).rejects.toThrow("Channel closed before call started");
  expect(await ask()).toMatchObject({ term: 7 });
  expect(connections()).toBe(2);
});

test("several of them are given up one after the other", async () => {
  const { ask, connections } = await startWay(3);
  for (let attempt = 1; attempt <= 3; attempt += 1) await expect(ask()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await ask()).toMatchObject({ term: 7 });
  expect(connections()).toBe(4);
});

test("a connection that was answered stays", async () => {
  const { ask, connections } = await startWay(0);
  await ask();
  await Bun.sleep(2 * connectMs);
  await ask();
  expect(connections()).toBe(1);
});
