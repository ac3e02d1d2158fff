/** The commands of `bazaar`, on a bazaar of real processes. */

import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { at } from "@stock-bazaar/shared/json";
import { expect, onTestFinished, test } from "vitest";
import { bazaar, type Ended } from "../support/command-line.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

let cluster: Cluster;
Cluster.share((shared) => (cluster = shared));

function run(...args: string[]): Promise<Ended> {
  return bazaar(args, { environment: { FRONTEND_PORT: new URL(cluster.url).port } });
}

/** Starts a proxy in front of the real front-end that changes orders in its replies. Returns its port. */
function startForger(change: (order: object) => object): string {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const { pathname, search } = new URL(request.url);
      const { method, headers } = request;
      const body = method === "POST" ? await request.text() : undefined;
      const reply = await fetchDirectly(`${cluster.url}${pathname}${search}`, {
        method,
        headers,
        ...(body && { body }),
      });
      if (!pathname.startsWith("/orders/")) return new Response(await reply.arrayBuffer(), reply);
      const order = at(await reply.json(), "data");
      return Response.json({ data: change(order as object) });
    },
  });
  onTestFinished(() => server.stop(true));
  return String(server.port);
}

test("client: sessions trade, and every order is found", async () => {
  const { exitCode, stdout, stderr } = await run(
    "client",
    "--clients",
    "5",
    "--requests",
    "40",
    "--p",
    "0.5",
    "--json",
  );
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const result = JSON.parse(stdout) as { trades: { accepted: number } };
  expect(result).toMatchObject({ ok: true, lookups: { count: 200 }, orders: { found: result.trades.accepted } });
  expect(result.trades.accepted).toBeGreaterThan(50);
  await expectInvariants(cluster);
});

test("client: --type lookup prints a table of lookups alone", async () => {
  const { exitCode, stdout } = await run("client", "--type", "lookup", "--clients", "2", "--requests", "20");
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^ms +count +p50 +p90 +p99 +max$/m);
  expect(stdout).toMatch(/^lookups +40 /m);
  expect(stdout).toMatch(/^ {2}hits +\d+ /m);
  expect(stdout).not.toContain("trades");
});

test("client: an order that differs from what was acknowledged is reported as a mismatch", async () => {
  const port = startForger((order) => ({ ...order, quantity: 4711 }));
  const few = ["--port", port, "--clients", "2", "--requests", "10", "--p", "1"];
  const checked = await run("client", ...few);
  expect(checked.exitCode).toBe(1);
  expect(checked.stdout).toMatch(/^MISMATCH order \d+ was acknowledged; .* answers 200 .*4711/m);
  expect(checked.stderr).toMatch(/^the bazaar broke a promise: order \d+/);
  // Without the check nothing is reported, and unchanged orders pass it.
  expect((await run("client", ...few, "--type", "session")).exitCode).toBe(0);
  const honest = startForger((order) => order);
  expect((await run("client", "--port", honest, "--clients", "2", "--requests", "10", "--p", "1")).exitCode).toBe(0);
});

test("lookup, trade, order: for people, and as JSON", async () => {
  const before = await run("lookup", "HarborRope", "--json");
  const left = Number(at(JSON.parse(before.stdout), "data", "quantity"));
  const bought = await run("trade", "buy", "2", "HarborRope", "--key", "my-first");
  const number = /^order (\d+): bought 2 HarborRope\n$/.exec(bought.stdout)?.[1] ?? "";
  expect(number).not.toBe("");
  expect((await run("trade", "buy", "2", "HarborRope", "--key", "my-first")).stdout).toBe(
    `order ${number}: bought 2 HarborRope in an earlier request with this key\n`,
  );
  expect((await run("lookup", "HarborRope")).stdout).toMatch(
    new RegExp(`^HarborRope +\\d+\\.\\d\\d +${left - 2}$`, "m"),
  );
  expect((await run("lookup")).stdout.trimEnd().split("\n")).toHaveLength(11);
  expect((await run("order", number)).stdout).toMatch(new RegExp(`^${number} +buy +2 +HarborRope$`, "m"));
  expect(JSON.parse((await run("order", number, "--json")).stdout)).toEqual({
    data: { number: Number(number), name: "HarborRope", type: "buy", quantity: 2 },
  });
  expect((await run("order", "--limit", "1")).stdout.trimEnd().split("\n")).toHaveLength(2);
});

test("a refused request exits with 1 and the bazaar's message", async () => {
  expect(await run("lookup", "NoSuchStock")).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: '"NoSuchStock": stock not found\n',
  });
  expect(await run("order", "987654321")).toEqual({
    exitCode: 1,
    stdout: "",
    stderr: "987654321: order number not found\n",
  });
  const refused = await run("trade", "buy", "2000000000", "GameStart", "--json");
  expect(refused.exitCode).toBe(1);
  expect(at(JSON.parse(refused.stdout), "error", "reason")).toBe("INSUFFICIENT_QUANTITY");
});

test("without an answer, each command exits with 3 and names a remedy", async () => {
  for (const args of [
    ["lookup"],
    ["order", "1"],
    ["status"],
    ["client"],
    ["trade", "buy", "1", "GameStart", "--key", "k"],
  ]) {
    const timeout = args[0] === "status" ? [] : ["--timeout", args[0] === "client" ? "1" : "0"];
    const { exitCode, stdout, stderr } = await run(...args, "--port", "1", ...timeout);
    expect({ exitCode, stdout }, args[0]).toEqual({ exitCode: 3, stdout: "" });
    expect(stderr).toMatch(/^no answer from http:\/\/127\.0\.0\.1:1: /);
    expect(stderr).toContain("npm start");
    if (args[0] === "trade") expect(stderr).toContain("The trade was not sent, so nothing was traded.");
  }
});

test("status: the leader, as a table and as JSON", async () => {
  const leader = await cluster.leader();
  const table = await run("status");
  expect(table.exitCode).toBe(0);
  expect(table.stdout).toContain(`ready to trade; replica ${leader} leads`);
  expect(table.stdout).toMatch(new RegExp(`^\\*order-${leader} +live +leader`, "m"));
  const json = await run("status", "--json");
  expect(JSON.parse(json.stdout)).toMatchObject({ ready: true, leader, replicas: [{ id: 1 }, { id: 2 }, { id: 3 }] });
});

test("status --watch: a line of JSON for each poll, until Ctrl-C", async () => {
  const port = new URL(cluster.url).port;
  const watch = new Service("status", "apps/cli/main.ts", {
    args: ["status", "--watch", "--json", "--port", port],
    environment: {},
    supervised: false,
  });
  watch.start();
  await eventually("two lines", () => watch.lines.length >= 2);
  expect(await watch.stop("SIGINT")).toEqual({ code: 0, signal: null });
  for (const line of watch.lines) expect(JSON.parse(line)).toMatchObject({ ready: true });
});

test("status: a bazaar that isn't ready gives the reason and exit code 1", async () => {
  await cluster.service("catalog").kill();
  const found = await eventually("the status is not ready", async () => {
    const ended = await run("status", "--json");
    return ended.exitCode === 1 && ended;
  });
  expect(JSON.parse(found.stdout)).toMatchObject({ ready: false, catalog: { state: "away" } });
  expect(found.stderr).toContain("the catalog does not answer");
  cluster.service("catalog").start();
  await cluster.settled();
});
