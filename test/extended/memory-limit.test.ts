/** The system kills a service because its memory runs out: `npm start` restarts it and says so, and nothing is lost. */

import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, type TestContext, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { startUp } from "../e2e/support/up.ts";

/** What a service may allocate beyond what it has when it is put under the limit. */
const limitBytes = 4 * 1024 * 1024;
/** Of cgroups: version 2, or the memory controller of version 1. */
const places = [
  { folder: "/sys/fs/cgroup/memory", limit: "memory.limit_in_bytes" },
  { folder: "/sys/fs/cgroup", limit: "memory.max" },
];

/** Returns a function that puts a process under the limit. Skips the test where that isn't allowed. */
function limiter(context: TestContext): (pid: number) => void {
  for (const { folder, limit } of places) {
    const group = join(folder, `stock-bazaar-test-${process.pid}`);
    try {
      mkdirSync(group);
    } catch {
      continue;
    }
    context.onTestFinished(async () => void (await eventually("the group is empty", () => isRemoved(group))));
    if (!existsSync(join(group, limit))) continue;
    writeFileSync(join(group, limit), String(limitBytes));
    return (pid) => writeFileSync(join(group, "cgroup.procs"), String(pid));
  }
  return context.skip("cgroups must be writable, with a limit of memory");
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch {
    return !existsSync(group) || readFileSync(join(group, "cgroup.procs"), "utf8") === "";
  }
}

test("each service is killed for its memory under load: it comes back, and no order is lost or doubled", async (context) => {
  const limit = limiter(context);
  const up = await startUp(context, { frontEnds: 2, environment: { LOG_LEVEL: "info" } });
  const traffic = new Traffic({ urls: up.urls, clients: 8, persistent: true });
  for (const name of ["order-3", "catalog", "front-end-2"]) {
    await traffic.more(50);
    const pid = up.children().get(name) ?? 0;
    expect(pid, name).toBeGreaterThan(0);
    limit(pid);
    await eventually(`${name} is restarted`, () => (up.children().get(name) ?? pid) !== pid, { timeoutMs: 60_000 });
    const line = up.service.lines.find((each) => each.includes(`"child":"${name}","code":null,"signal":"SIGKILL"`));
    expect(line).toContain("memory ran out");
    await traffic.more(50);
  }
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  const orders = new Set(traffic.accepted.map(({ orderNumber }) => orderNumber));
  expect(orders.size).toBe(traffic.accepted.length);
  const { stdout, exitCode } = await bazaar(["verify"], { environment: { DATA_DIR: up.dataDir } });
  expect(exitCode, stdout).toBe(0);
});
