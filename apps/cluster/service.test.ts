import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Service } from "./service.ts";

test("what a start adds to the environment lasts for one life", async () => {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-service-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, "print.ts");
  writeFileSync(script, "console.log(process.env.KEPT, process.env.CHANGED)");
  const service = new Service("print", script, { environment: { KEPT: "kept", CHANGED: "before" } });
  for (const options of [{}, { environment: { CHANGED: "for once" } }, {}]) {
    service.start(options);
    await service.ended();
  }
  expect(service.lines).toEqual(["kept before", "kept for once", "kept before"]);
});
