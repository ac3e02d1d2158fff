/** `npx vitest`, which runs on Node, must end with a message that names the right command. */

import { resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
// The PATH of `npm test` may begin with a `node` that is Bun.
const node = ["/usr/bin", "/usr/local/bin", process.env.PATH ?? ""]
  .map((PATH) => Bun.which("node", { PATH }))
  .find(Boolean);

test.skipIf(!node)("vitest on Node ends with one clear error", async () => {
  const child = Bun.spawn([node ?? "", "node_modules/vitest/vitest.mjs", "run", "--project", "unit", "proto"], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  expect(stderr).toMatch(/^The tests must run on Bun \(got Node [\d.]+\): npm test\n/);
  expect(`${stdout}${stderr}`).not.toMatch(/^ +at /m);
  expect(exitCode).toBe(1);
});
