/** The clients of `examples/` trade exactly once, even if replies are lost. */

import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { root } from "@stock-bazaar/cluster/service";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { at } from "@stock-bazaar/shared/json";
import { describe, expect, type TestContext, test } from "vitest";
import { get, lookUp } from "../support/requests.ts";
import { Cluster } from "./support/cluster.ts";
import { matchesOutput, readSteps } from "./support/document.ts";

/** The tests run concurrently, so each trades its own stock. */
const clients = [
  { client: "bun examples/trade.ts", needs: [], stocks: ["MenhirCo", "PotionWorks"] },
  { client: "python3 examples/trade.py", needs: ["python3"], stocks: ["LanternLine", "MossAndSons"] },
  { client: "sh examples/trade.sh", needs: ["sh", "curl"], stocks: ["TinWhistle", "NorthQuarry"] },
] as const;

const documented = readSteps(readFileSync(join(root, "examples/README.md"), "utf8"), ["console"]);

let cluster: Cluster;
Cluster.share((shared) => {
  cluster = shared;
});

interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command in an environment without a proxy. */
async function run(command: string, url: string, timeoutSeconds = "3"): Promise<Ended> {
  const child = Bun.spawn(["sh", "-c", command], {
    cwd: root,
    env: {
      HOME: process.env.HOME,
      PATH: `${resolve(root, "node_modules/.bin")}:${process.env.PATH}`,
      BAZAAR_URL: url,
      BAZAAR_TIMEOUT_SECONDS: timeoutSeconds,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  return { exitCode, stdout, stderr };
}

type Loss = "no reply" | "a closed connection" | "503" | "429";

interface SentTrade {
  readonly key: string;
  readonly body: string;
}

/**
 * Starts a proxy in front of the real front-end. The bazaar executes each trade, but the replies to the first trades are lost
 * in the ways of `losses`.
 */
async function startLossyFrontEnd(context: TestContext, losses: readonly Loss[]) {
  const trades: SentTrade[] = [];
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const { method = "", url: path = "", headers } = request;
    const key = headers["idempotency-key"]?.toString() ?? "";
    const body = await text(request);
    const reply = await fetchDirectly(`${cluster.url}${path}`, {
      method,
      ...(method === "POST" ? { body, headers: { "content-type": "application/json", "idempotency-key": key } } : {}),
    });
    const answer = await reply.text();
    const loss = method === "POST" ? losses[trades.push({ key, body }) - 1] : undefined;
    if (loss === "no reply") return;
    if (loss === "a closed connection") return void request.socket.destroy();
    const message = { "503": "no answer in time", "429": "too many trades" };
    response.writeHead(loss ? Number(loss) : reply.status, {
      "content-type": "application/json",
      ...(loss && { "retry-after": "1" }),
    });
    response.end(loss ? JSON.stringify({ error: { code: Number(loss), message: message[loss] } }) : answer);
  };
  const server = createServer((request, response) => void pass(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, trades };
}

const quantityOf = async (stock: string) => Number(at((await lookUp(cluster.url, stock)).body, "data", "quantity"));

describe.each(clients)("$client", { concurrent: true }, ({ client, needs, stocks: [stock, other] }) => {
  /** Skips the test on a machine that can't run this client. */
  function requireTools(context: TestContext): void {
    const missing = needs.find((tool) => Bun.which(tool) === null);
    if (missing !== undefined) context.skip(`${missing} must be on the PATH`);
  }

  test("prints what the README shows, and its order is in the ledger", async (context) => {
    requireTools(context);
    const step = documented.find(({ command }) => command.startsWith(client));
    const { exitCode, stdout, stderr } = await run(step?.command ?? "", cluster.url);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(matchesOutput(step?.output ?? "", stdout), stdout).toBe(true);
    const number = /^Order (\d+)/m.exec(stdout)?.[1];
    expect((await get(`${cluster.url}/orders/${number}`)).body).toMatchObject({ data: { name: "GameStart" } });
  });

  test("after lost replies of every kind it retries with the same key, and trades once", async (context) => {
    requireTools(context);
    const before = await quantityOf(stock);
    const { url, trades } = await startLossyFrontEnd(context, ["no reply", "a closed connection", "503", "429"]);
    const { exitCode, stdout, stderr } = await run(`${client} buy 3 ${stock}`, url);
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toMatch(new RegExp(`^Order \\d+: buy 3 ${stock}$`, "m"));
    expect(trades).toHaveLength(5);
    expect(new Set(trades.map(({ key }) => key)).size).toBe(1);
    expect(new Set(trades.map(({ body }) => body)).size).toBe(1);
    expect(await quantityOf(stock)).toBe(before - 3);
  });

  test("without an answer it prints its key, and the same command with that key returns the one order", async (context) => {
    requireTools(context);
    const before = await quantityOf(other);
    const { url, trades } = await startLossyFrontEnd(context, Array<Loss>(5).fill("503"));
    const first = await run(`${client} sell 2 ${other}`, url);
    expect(first.exitCode).toBe(3);
    expect(first.stderr).toMatch(/must answer within 5 attempts \(got "503 no answer in time"\)/);
    const key = /^Idempotency-Key: (\S+)$/m.exec(first.stdout)?.[1] ?? "";
    expect(first.stderr).toContain(`run this again with ${key} at the end`);
    expect(trades.map((trade) => trade.key)).toEqual(Array(5).fill(key));

    const again = await run(`${client} sell 2 ${other} ${key}`, url);
    expect(again).toMatchObject({ exitCode: 0, stderr: "" });
    expect(again.stdout).toMatch(new RegExp(`^Order \\d+: sell 2 ${other}$`, "m"));
    expect(await quantityOf(other)).toBe(before + 2);
  });

  test.for([
    ["buy 1000000 FishCo", 1, "Available quantity to buy is less than requested quantity"],
    ["buy 1 Nowhere", 1, "stock not found"],
    ["buy 0 FishCo", 2, "usage: "],
    ["borrow 1 FishCo", 2, "usage: "],
    ["buy 1", 2, "usage: "],
  ] as const)("%s: exit code %d, %s", async ([args, exitCode, message], context) => {
    requireTools(context);
    const ended = await run(`${client} ${args}`, cluster.url);
    expect(ended.exitCode, ended.stderr).toBe(exitCode);
    expect(ended.stderr).toContain(message);
  });

  test.for(["soon", "0", "1.5"])("a timeout of %s seconds is wrong usage", async (timeoutSeconds, context) => {
    requireTools(context);
    expect(await run(`${client} buy 1 FishCo`, cluster.url, timeoutSeconds)).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `BAZAAR_TIMEOUT_SECONDS must be a whole number from 1 to 9999 (got "${timeoutSeconds}")\n`,
    });
  });
});
