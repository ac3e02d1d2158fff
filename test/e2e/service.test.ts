/** How a service ends, tested in its own process. */

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@stock-bazaar/cluster/wait";
import { supervisedVariable } from "@stock-bazaar/process/supervised";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stock-bazaar-service-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts a service. `serve` is code that runs when it starts, `stop` when it stops. Resolves when it serves. */
async function start(serve: string, stop = "", environment: Readonly<Record<string, string>> = {}) {
  const file = join(folder, `${Bun.randomUUIDv7()}.ts`);
  writeFileSync(
    file,
    `import { runService } from ${JSON.stringify(join(import.meta.dirname, "../../apps/process/service.ts"))};
     await runService("service", async ({ logger, onHangup }) => {
       setInterval(() => {}, 1000);
       ${serve}
       return async () => { ${stop} };
     });
     console.log("serves");`,
  );
  const child = Bun.spawn([process.execPath, file], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env.PATH, ...environment },
  });
  onTestFinished(() => child.kill("SIGKILL"));
  let output = "";
  const read = child.stdout.pipeTo(
    new WritableStream({ write: (chunk) => void (output += new TextDecoder().decode(chunk)) }),
  );
  const printed = (word: string) => eventually(`the service prints ${word}`, () => output.includes(word));
  await printed("serves");
  const ended = async () => {
    const code = await child.exited;
    await read;
    return { code, output };
  };
  return { child, printed, ended };
}

const linesWith = (text: string, word: string) => text.split("\n").filter((line) => line.includes(word)).length;

test.each([
  ["is thrown", "setTimeout(() => { throw new Error('a bug'); });"],
  ["is rejected", "setTimeout(() => void Promise.reject(new Error('a bug')));"],
])("an unexpected error that %s ends it", async (_how, serve) => {
  const { code, output } = await (await start(serve)).ended();
  expect(code).toBe(1);
  expect(output).toContain("a bug");
});

test("a broken invariant ends it, though a caller catches the error", async () => {
  const shared = JSON.stringify(join(import.meta.dirname, "../../apps/shared/invariant.ts"));
  const serve = `const { invariant } = await import(${shared});
    setTimeout(() => { try { invariant(false, "acked ≤ tail", 3, 2); } catch {} });`;
  const { code, output } = await (await start(serve)).ended();
  expect(code).toBe(1);
  expect(output).toContain("must hold: acked ≤ tail (got 3 and 2)");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s stops it once, also when it is sent twice", async (signal) => {
  const stop = 'logger.info("finishing"); await new Promise((resolve) => process.once("SIGUSR2", resolve));';
  const { child, printed, ended } = await start('process.on("SIGUSR1", () => logger.info("received"));', stop);
  child.kill(signal);
  await printed("finishing");
  child.kill(signal);
  child.kill("SIGUSR1");
  await printed("received");
  child.kill("SIGUSR2");
  const { code, output } = await ended();
  expect(code).toBe(0);
  expect(linesWith(output, "finishing")).toBe(1);
});

test("SIGHUP makes a service reload that can, and SIGTERM still stops it", async () => {
  const { child, printed, ended } = await start('onHangup(() => logger.info("reloaded"));');
  child.kill("SIGHUP");
  await printed("reloaded");
  child.kill("SIGTERM");
  expect((await ended()).code).toBe(0);
});

test("a service whose supervisor has ended ends too, even if its stop never finishes", async () => {
  const never = "await new Promise(() => {});";
  const { child, ended } = await start("", never, { [supervisedVariable]: "service", REQUEST_TIMEOUT_MS: "10" });
  await child.stdin.end();
  expect((await ended()).code).toBe(1);
});
