import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

const stopping = join(import.meta.dirname, "stopping.ts");
let folder: string;
let command: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-stop-"));
  command = join(folder, "command.ts");
  writeFileSync(
    command,
    `import { nextStopSignal } from ${JSON.stringify(stopping)};
     const keepAlive = setInterval(() => {}, 1000);
     const signal = nextStopSignal();
     console.log("ready");
     console.log(await signal);
     clearInterval(keepAlive);`,
  );
});

afterEach(() => rmSync(folder, { recursive: true }));

/** Kills the process once the command is ready, and returns what the command printed until its end. */
async function outputAfterKill(args: string[], environment: Record<string, string>, signal: NodeJS.Signals) {
  const env: Record<string, string | undefined> = { ...process.env, npm_lifecycle_event: undefined, ...environment };
  const child = Bun.spawn(args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (printed === "ready\n") child.kill(signal);
  }
  return printed;
}

test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s is a reason to stop", async (signal) => {
  expect(await outputAfterKill([process.execPath, command], {}, signal)).toBe(`ready\n${signal}\n`);
});

test("SIGHUP isn't, for a command that `nohup` has started", async () => {
  const shell = ["sh", "-c", `trap '' HUP; exec ${JSON.stringify(process.execPath)} ${JSON.stringify(command)}`];
  const child = Bun.spawn(shell, { stdio: ["ignore", "pipe", "inherit"] });
  let printed = "";
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (printed !== "ready\n") continue;
    child.kill("SIGHUP");
    child.kill("SIGTERM");
  }
  expect(printed).toBe("ready\nSIGTERM\n");
});

test("the death of npm, or of its shell, is one for a command that npm has started", async () => {
  // `; true` keeps the shell: with a single command it would replace itself by that command.
  const shell = ["sh", "-c", `${JSON.stringify(process.execPath)} ${JSON.stringify(command)}; true`];
  expect(await outputAfterKill(shell, { npm_lifecycle_event: "start" }, "SIGKILL")).toBe("ready\nthe end of npm\n");
});
