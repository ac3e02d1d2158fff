/** How a service ends, as a process of its own. */

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

/** `serve` runs when the service starts, `stop` when it stops. Resolves when it serves. */
async function start(serve: string, stop = "", environment: Readonly<Record<string, string>> = {}) {
  const file = join(folder, `${Bun.randomUUIDv7()}.ts`);
  writeFileSync(
    file,
    `import { runService } from ${JSON.stringify(join(import.meta.dirname, "../../apps/process/service.ts"))};
     await runService("service", async ({ logger }) => {
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
  let said = "";
  const output = child.stdout.pipeTo(
    new WritableStream({ write: (chunk) => void (said += new TextDecoder().decode(chunk)) }),
  );
  const says = (word: string) => eventually(`the service says ${word}`, () => said.includes(word));
  await says("serves");
  const ended = async () => {
    const code = await child.exited;
    await output;
    return { code, said };
  };
  return { child, says, ended };
}

const linesWith = (text: string, word: string) => text.split("\n").filter((line) => line.includes(word)).length;

test.each([
  ["is thrown", "setTimeout(() => { throw new Error('a bug'); });"],
  ["is rejected", "setTimeout(() => void Promise.reject(new Error('a bug')));"],
])("what nobody expected and %s ends it", async (_how, serve) => {
  const { code, said } = await (await start(serve)).ended();
  expect(code).toBe(1);
  expect(said).toContain("a bug");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"] as const)("%s stops it once, however often it is said", async (signal) => {
  const stop = 'logger.info("finishing"); await new Promise((resolve) => process.once("SIGUSR2", resolve));';
  const { child, says, ended } = await start('process.on("SIGUSR1", () => logger.info("heard"));', stop);
  child.kill(signal);
  await says("finishing");
  child.kill(signal);
  child.kill("SIGUSR1");
  await says("heard");
  child.kill("SIGUSR2");
  const { code, said } = await ended();
  expect(code).toBe(0);
  expect(linesWith(said, "finishing")).toBe(1);
});

test("one whose supervisor is gone ends, also when it can't stop", async () => {
  const never = "await new Promise(() => {});";
  const { child, ended } = await start("", never, { [supervisedVariable]: "service", REQUEST_TIMEOUT_MS: "10" });
  await child.stdin.end();
  expect((await ended()).code).toBe(1);
});
