import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "@stock-bazaar/cluster/wait";
import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { startServiceProcess } from "./service-process.ts";

const shared = join(import.meta.dirname, "../../process/supervised.ts");
const starter = join(import.meta.dirname, "service-process.ts");

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bazaar-process-"));
});

afterEach(() => rmSync(folder, { recursive: true }));

function script(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

function start(file: string, environment: Record<string, string> = {}) {
  return startServiceProcess({ name: "service", command: [process.execPath, file], environment });
}

test("a process gets its environment, and its exit code is reported", async () => {
  const file = script("code.ts", "process.exit(Number(process.env.ORDER_ID));");
  await expect(start(file, { ORDER_ID: "7" }).exited).resolves.toEqual({ code: 7, signal: null });
});

test("a process gets the settings of the runtime, unless the user has set others", async () => {
  const wanted = Object.entries(runtimeSettings)
    .map(([name, value]) => `process.env.${name} === "${value}"`)
    .join(" && ");
  const file = script("settings.ts", `process.exit(${wanted} ? 7 : 1);`);
  await expect(start(file).exited).resolves.toMatchObject({ code: 7 });
  await expect(start(file, { MIMALLOC_PURGE_HOLES: "1" }).exited).resolves.toMatchObject({ code: 1 });
  vi.stubEnv("MIMALLOC_PURGE_HOLES", "1");
  await expect(start(file).exited).resolves.toMatchObject({ code: 1 });
  vi.unstubAllEnvs();
});

test("the signal that ended a process is reported", async () => {
  const service = start(script("endless.ts", "setInterval(() => {}, 1000);"));
  service.kill("SIGKILL");
  await expect(service.exited).resolves.toMatchObject({ signal: "SIGKILL" });
});

test("a frozen process does nothing, resumes by itself, and obeys SIGTERM meanwhile", async () => {
  const file = script("ticks.ts", "process.send?.('up'); process.on('message', (m) => process.send?.(m));");
  const received: unknown[] = [];
  let send: (message: object) => void = () => {};
  const up = Promise.withResolvers<void>();
  let answered = Promise.withResolvers<void>();
  const service = startServiceProcess({
    name: "service",
    command: [process.execPath, file],
    environment: {},
    onMessage(message, reply) {
      received.push(message);
      send = reply;
      if (message === "up") up.resolve();
      else answered.resolve();
    },
  });
  await up.promise;
  const state = () => /\) (\w) /.exec(readFileSync(`/proc/${service.pid}/stat`, "utf8"))?.[1];

  service.freeze(200);
  await eventually("it is stopped", () => state() === "T", { timeoutMs: 10_000, pollMs: 2 });
  send({ number: 1 });
  await answered.promise;
  expect(received).toEqual(["up", { number: 1 }]);
  expect(state()).not.toBe("T");

  answered = Promise.withResolvers();
  service.freeze(60_000);
  await eventually("it is stopped", () => state() === "T", { timeoutMs: 10_000, pollMs: 2 });
  service.kill("SIGTERM");
  await expect(service.exited).resolves.toMatchObject({ signal: "SIGTERM" });
});

/** Ctrl-C in a terminal reaches every process in the foreground of its session. */
test.skipIf(process.platform !== "linux")(
  "Ctrl-C in this terminal reaches neither a service nor the process that wakes it",
  async () => {
    const stat = (pid: number | string) =>
      readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
    const groupOf = (pid: number | string) => stat(pid)[2];
    const service = start(script("endless.ts", "setInterval(() => {}, 1000);"));
    expect(groupOf(service.pid)).not.toBe(groupOf("self"));
    service.freeze(1000);
    const waker = readdirSync("/proc").find((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
        return command.startsWith("sh\0") && command.endsWith(`\0${service.pid}\0`);
      } catch {
        return false;
      }
    });
    expect(groupOf(waker ?? "")).not.toBe(groupOf("self"));
    service.kill("SIGKILL");
    await service.exited;
  },
);

test("a process without onMessage has no channel", async () => {
  const file = script("channel.ts", "process.exit(process.send === undefined ? 0 : 1);");
  await expect(start(file).exited).resolves.toEqual({ code: 0, signal: null });
});

test("services end when their supervisor is killed with -9, and not before", async () => {
  // Each service keeps the pipe open while it lives, and prints what happens to it.
  const service = script(
    "service.ts",
    `import { exitWithSupervisor } from ${JSON.stringify(shared)};
     setInterval(() => {}, 1000);
     exitWithSupervisor(() => { console.log("orphaned " + process.env.NAME); process.exit(0); }, 10_000);
     console.log("ready " + process.env.NAME);`,
  );
  const supervisor = script(
    "supervisor.ts",
    `import { startServiceProcess } from ${JSON.stringify(starter)};
     for (const NAME of ["a", "b", "c"]) {
       startServiceProcess({ name: NAME, command: [process.execPath, ${JSON.stringify(service)}], environment: { NAME } });
     }
     setInterval(() => {}, 1000);`,
  );
  const child = Bun.spawn([process.execPath, supervisor], { stdio: ["ignore", "pipe", "inherit"] });

  let printed = "";
  let isKilled = false;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    if (printed.match(/ready/g)?.length === 3 && !isKilled) {
      expect(printed).not.toContain("orphaned");
      child.kill("SIGKILL");
      isKilled = true;
    }
  }

  // The loop ends when the last process that could print has ended.
  expect(printed.split("\n").toSorted().filter(Boolean)).toEqual([
    "orphaned a",
    "orphaned b",
    "orphaned c",
    "ready a",
    "ready b",
    "ready c",
  ]);
});

test("a service that was started by hand runs on without a standard input", async () => {
  const file = script(
    "by-hand.ts",
    `import { exitWithSupervisor } from ${JSON.stringify(shared)};
     exitWithSupervisor(() => process.exit(1), 10_000);
     process.stdin.on("end", () => process.exit(0)).resume();`,
  );
  const environment: Record<string, string | undefined> = { ...process.env };
  delete environment.BAZAAR_SUPERVISED;
  const child = Bun.spawn([process.execPath, file], { stdio: ["ignore", "inherit", "inherit"], env: environment });
  expect(await child.exited).toBe(0);
});
