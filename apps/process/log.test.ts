import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLogOutput } from "./log-output.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "stock-bazaar-log-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a script with its standard output on a full disk, and resolves with its exit code. */
async function runOnFullDisk(text: string): Promise<number> {
  const file = join(folder, `${Bun.randomUUIDv7()}.ts`);
  writeFileSync(file, text);
  const full = openSync("/dev/full", "w");
  try {
    const stdio: ["ignore", number, "inherit"] = ["ignore", full, "inherit"];
    // A log that retries for ever would not react to SIGTERM.
    const child = Bun.spawn([process.execPath, file], { stdio, timeout: 20_000, killSignal: "SIGKILL" });
    return await child.exited;
  } finally {
    closeSync(full);
  }
}

const log = JSON.stringify(join(import.meta.dirname, "log.ts"));
const service = JSON.stringify(join(import.meta.dirname, "service.ts"));

describe.skipIf(process.platform !== "linux")("a process whose standard output is on a full disk", () => {
  test.each([
    ["lines for programs", ""],
    ["lines for people", 'Object.defineProperty(process.stdout, "isTTY", { value: true });'],
  ])("logs %s and keeps running", async (_, before) => {
    const code = await runOnFullDisk(
      `import { createLogger } from ${log};
       ${before}
       const logger = createLogger("service", "info");
       for (let line = 0; line < 3; line++) {
         logger.info({ line }, "a line");
         await Bun.sleep(1);
       }
       logger.fatal("the last line");
       process.exit(7);`,
    );
    expect(code).toBe(7);
  });

  test("ends after an unexpected error", async () => {
    const code = await runOnFullDisk(
      `import { runService } from ${service};
       await runService("service", async ({ fatal }) => {
         setInterval(() => {}, 1000);
         setTimeout(() => fatal(new Error("the disk fails")));
         return async () => {};
       });`,
    );
    expect(code).toBe(1);
  });
});

test("a service ends after an error that can't be logged", async () => {
  const file = join(folder, "mute.ts");
  writeFileSync(
    file,
    `import { runService } from ${service};
     await runService("service", async ({ logger, fatal }) => {
       logger.fatal = () => { throw new Error("no line"); };
       try {
         fatal(new Error("the disk fails"));
       } catch {
         process.exit(9);
       }
     });`,
  );
  const child = Bun.spawn([process.execPath, file], { stdio: ["ignore", "ignore", "inherit"] });
  expect(await child.exited).toBe(1);
});

describe("a line that can't be written", () => {
  /** A disk that takes `freeBytes` bytes; after these, writes fail with `error`. */
  function setUpDisk() {
    let written = "";
    const disk = { freeBytes: 0, error: "ENOSPC", tries: 0 };
    const output = createLogOutput((bytes) => {
      disk.tries += 1;
      const taken = bytes.subarray(0, disk.freeBytes);
      if (taken.length === 0) throw Object.assign(new Error("write"), { code: disk.error });
      disk.freeBytes -= taken.length;
      written += Buffer.from(taken).toString();
      return taken.length;
    });
    return { disk, output, written: () => written };
  }

  test.each(["ENOSPC", "EIO", "EPIPE", "EBADF"])("because of %s is lost, and the next one is written", (error) => {
    const { disk, output, written } = setUpDisk();
    disk.error = error;
    output.write("one\n");
    output.write("two\n");
    expect(disk.tries).toBe(2);
    disk.freeBytes = 100;
    output.write("three\n");
    expect(written()).toBe("three\n");
  });

  test("completely leaves a part, and the next one starts a new line", () => {
    const { disk, output, written } = setUpDisk();
    disk.freeBytes = 6;
    output.write("one\n");
    output.write("two\n");
    output.write("three\n");
    disk.freeBytes = 100;
    output.write("four\n");
    output.write("five\n");
    expect(written()).toBe("one\ntw\nfour\nfive\n");
  });

  test("because the reader is slow is retried until it is written", () => {
    let tries = 0;
    let written = "";
    createLogOutput((bytes) => {
      tries += 1;
      if (tries < 3) throw Object.assign(new Error("write"), { code: "EAGAIN" });
      written += Buffer.from(bytes).toString();
      return bytes.length;
    }).write("one\n");
    expect(written).toBe("one\n");
  });
});
