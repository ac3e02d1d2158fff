/** How `lookup`, `trade`, `order`, `status` and `client` report replies that they can't use. */

import { describe, expect, test, vi } from "vitest";
import { bazaar, type Ended } from "../../test/support/command-line.ts";
import { replyInPieces, rewritings } from "../../test/support/rewritten-replies.ts";
import { reply, startSmallBazaar } from "../../test/support/small-bazaar.ts";

// The tests start processes, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

function run(url: string, ...args: string[]): Promise<Ended> {
  return bazaar([...args, "--port", new URL(url).port]);
}

function failing(status: number, message: string): string {
  return startSmallBazaar(async () => Response.json({ error: { code: status, message, reason: "-" } }, { status })).url;
}

describe("a web server that isn't a bazaar", () => {
  const page = `<!DOCTYPE html>\n<html>\n${"<p>Hello</p>\n".repeat(50)}</html>\n`;

  test.each([404, 200, 503])("with status %i is reported in one short line, with exit code 3", async (status) => {
    const headers = { "content-type": "text/html" };
    const { url } = startSmallBazaar(async () => new Response(page, { status, headers }));
    const excerpt = page.replaceAll("\n", " ").slice(0, 60);
    const commands = [
      ["lookup", "GameStart", "--timeout", "0"],
      ["lookup", "--json", "--timeout", "0"],
      ["order", "1", "--timeout", "0"],
      ["trade", "buy", "1", "GameStart", "--timeout", "0"],
      ["status"],
      ["client"],
      ["client", "--stocks", "GameStart"],
    ];
    for (const command of commands) {
      const { exitCode, stdout, stderr } = await run(url, ...command);
      expect({ exitCode, stdout }, command.join(" ")).toEqual({ exitCode: 3, stdout: "" });
      expect(stderr.split("\n")[0]).toBe(`${url} must answer like a bazaar (got ${`${status} ${excerpt}`.trimEnd()})`);
    }
  });
});

describe("a trade", () => {
  test.each(Object.entries(rewritings))("whose reply a proxy sends %s is reported as done", async (_how, rewrite) => {
    const server = replyInPieces(rewrite('{"data":{"transaction_number":7}}'));
    const ended = await run(`http://127.0.0.1:${server.port}`, "trade", "buy", "1", "GameStart", "--timeout", "0");
    server.stop(true);
    expect(ended).toEqual({ exitCode: 0, stdout: "order 7: bought 1 GameStart\n", stderr: "" });
  });

  test("without an answer in time may have executed, which is reported once", async () => {
    const url = failing(503, "Stock could not be traded: no answer in time; retry with the same Idempotency-Key");
    const { exitCode, stderr } = await run(url, "trade", "buy", "1", "GameStart", "--key", "k", "--timeout", "0");
    expect(exitCode).toBe(3);
    expect(stderr).toBe(
      `no answer from ${url} in time\nThe trade may have executed. Repeat it with --key k: the same key never trades twice.\n`,
    );
  });

  test("may have executed if the server goes away after the first attempt", async () => {
    const server = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, data) {
          if (data.toString().startsWith("GET /cluster")) return void socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
          server.stop(true);
          socket.end();
        },
      },
    });
    const url = `http://127.0.0.1:${server.port}`;
    const { exitCode, stderr } = await run(url, "trade", "buy", "1", "GameStart", "--key", "k", "--timeout", "1");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("The trade may have executed. Repeat it with --key k");
  });

  test.skipIf(process.platform !== "linux")(
    "is reported on standard error if standard output is a full disk",
    async () => {
      const { url } = startSmallBazaar(async () => Response.json({ data: { transaction_number: 7 } }));
      const port = new URL(url).port;
      for (const [json, output] of [
        [[], "order 7: bought 1 GameStart"],
        [["--json"], '{"data":{"transaction_number":7}}'],
      ] as const) {
        const args = ["trade", "buy", "1", "GameStart", "--port", port, ...json];
        const { exitCode, stderr } = await bazaar(args, { stdoutFile: "/dev/full" });
        expect(exitCode).toBe(1);
        expect(stderr).toMatch(new RegExp(`^${output}\nstandard output can't be written: ENOSPC.*\n$`));
      }
    },
  );

  test("that could not be sent is reported as not executed", async () => {
    const { exitCode, stderr } = await run("http://127.0.0.1:1", "trade", "buy", "1", "GameStart", "--timeout", "0");
    expect(exitCode).toBe(3);
    expect(stderr).toContain("\nThe trade was not sent, so nothing was traded.\n");
    expect(stderr).not.toContain("--key");
  });

  test("may be typed in any letter case, as over HTTP", async () => {
    const { url, orders } = startSmallBazaar();
    const { exitCode, stdout } = await run(url, "trade", "BUY", "1", "GameStart");
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "order 1: bought 1 GameStart\n" });
    expect(orders).toMatchObject([{ type: "buy" }]);
  });

  test("of an unknown stock reports its name", async () => {
    const { exitCode, stderr } = await run(failing(404, "stock not found"), "trade", "buy", "1", "Nope");
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '"Nope": stock not found\n' });
  });
});

test("a lookup that the bazaar can't answer in time prints the bazaar's message once", async () => {
  const url = failing(503, "Stock could not be read: no answer in time; try again");
  const { exitCode, stderr } = await run(url, "lookup", "GameStart", "--timeout", "0");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 3,
    stderr: "Stock could not be read: no answer in time; try again\n",
  });
});

test("a bazaar without stocks gives clients nothing to trade", async () => {
  const { url } = startSmallBazaar(async () => reply({ data: [] }));
  expect(await run(url, "client")).toMatchObject({
    exitCode: 3,
    stderr: expect.stringMatching(/^\S+\/stocks must list at least one stock \(got none\)\n/),
  });
});
