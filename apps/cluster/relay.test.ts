import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { type Relay, type RelayOptions, startRelay } from "./relay.ts";
import { eventually } from "./wait.ts";

/** An echo server behind a relay. */
async function startEcho(options: RelayOptions = {}): Promise<{ relay: Relay; ended: () => number }> {
  let ended = 0;
  const server = createServer((socket) => {
    socket.on("data", (bytes) => socket.write(bytes));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => (ended += 1));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const relay = await startRelay(() => (server.address() as AddressInfo).port, options);
  onTestFinished(async () => {
    await relay.close();
    server.close();
  });
  return { relay, ended: () => ended };
}

interface Client {
  readonly socket: Socket;
  readonly received: () => string;
  readonly isClosed: () => boolean;
}

function connectTo({ address }: Relay): Client {
  const socket = createConnection(address);
  let received = "";
  let isClosed = false;
  socket.on("data", (bytes) => (received += bytes.toString()));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => (isClosed = true));
  onTestFinished(() => void socket.destroy());
  return { socket, received: () => received, isClosed: () => isClosed };
}

async function connectedTo(relay: Relay): Promise<Client> {
  const client = connectTo(relay);
  client.socket.write("hello");
  await eventually("the echo arrives", () => client.received() === "hello");
  return client;
}

/** Long enough for an echo to arrive if it passes. */
const quietMs = 100;

test("a refused link closes its connections at both ends, and every new one, until it is mended", async () => {
  const { relay, ended } = await startEcho();
  const before = await connectedTo(relay);
  relay.cut("refused");
  await eventually("both ends are closed", () => before.isClosed() && ended() === 1);
  const during = connectTo(relay);
  await eventually("a new connection is closed", during.isClosed);
  expect(during.received()).toBe("");
  relay.mend();
  await connectedTo(relay);
  expect(relay.connections).toBe(3);
});

test("a silent link closes nothing; the held bytes pass in order when it is mended", async () => {
  const { relay, ended } = await startEcho();
  const before = await connectedTo(relay);
  relay.cut("silent");
  before.socket.write(" again");
  const during = connectTo(relay);
  during.socket.write("first, ");
  during.socket.write("second");
  await Bun.sleep(quietMs);
  expect([before.received(), during.received()]).toEqual(["hello", ""]);
  expect([before.isClosed(), during.isClosed(), ended()]).toEqual([false, false, 0]);
  relay.mend();
  await eventually("the held bytes arrive", () => before.received() === "hello again");
  await eventually("the new connection works", () => during.received() === "first, second");
});

test("the close of a connection doesn't pass a silent link either", async () => {
  const { relay, ended } = await startEcho();
  const client = await connectedTo(relay);
  relay.cut("silent");
  client.socket.destroy();
  await Bun.sleep(quietMs);
  expect(ended()).toBe(0);
  relay.mend();
  await eventually("the server's end is closed", () => ended() === 1);
});

test("a connection that is closed while the link is silent never reaches the server", async () => {
  const { relay, ended } = await startEcho();
  relay.cut("silent");
  const client = connectTo(relay);
  await eventually("the connection is accepted", () => relay.connections === 1);
  client.socket.destroy();
  await eventually("the connection is closed", client.isClosed);
  relay.mend();
  await connectedTo(relay);
  expect(ended()).toBe(0);
});

test("a silent link that becomes refused drops what it held", async () => {
  const { relay, ended } = await startEcho();
  const client = await connectedTo(relay);
  relay.cut("silent");
  client.socket.write(" lost");
  relay.cut("refused");
  await eventually("both ends are closed", () => client.isClosed() && ended() === 1);
  relay.mend();
  expect((await connectedTo(relay)).received()).toBe("hello");
});

test("a slow link delays every byte in both directions, and keeps their order and the close behind them", async () => {
  const delayMs = 40;
  const { relay, ended } = await startEcho({ delayMs });
  const client = connectTo(relay);
  const startMs = performance.now();
  const parts = Array.from({ length: 200 }, (_, index) => `${index},`);
  for (const [index, part] of parts.entries()) {
    client.socket.write(part);
    if (index % 20 === 0) await Bun.sleep(1);
  }
  await eventually("the echo arrives", () => client.received() === parts.join(""));
  expect(performance.now() - startMs).toBeGreaterThanOrEqual(2 * delayMs);
  client.socket.destroy();
  await eventually("the server's end is closed", () => ended() === 1);
});
