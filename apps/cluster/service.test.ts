import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runtimeSettings } from "@stock-bazaar/process/runtime-settings";
import { supervisedVariable } from "@stock-bazaar/process/supervised";
import { expect, onTestFinished, test } from "vitest";
import { Service } from "./service.ts";

function scriptOf(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-service-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const script = join(folder, "print.ts");
  writeFileSync(script, text);
  return script;
}

test("variables that a start adds last until the process ends", async () => {
  const script = scriptOf("console.log(process.env.KEPT, process.env.CHANGED)");
  const service = new Service("print", script, { environment: { KEPT: "kept", CHANGED: "before" } });
  for (const options of [{}, { environment: { CHANGED: "for once" } }, {}]) {
    service.start(options);
    await service.ended();
  }
  expect(service.lines).toEqual(["kept before", "kept for once", "kept before"]);
});

test("a service gets its own variables and the runtime settings, and nothing else of this process's environment", async () => {
  const script = scriptOf("console.log(Object.keys(process.env).toSorted().join())");
  const variables = async (supervised: boolean) => {
    const service = new Service("print", script, { environment: { OWN: "1" }, supervised });
    service.start();
    await service.ended();
    return service.lines[0]?.split(",").filter((name) => name !== "PATH" && name !== "HOME");
  };
  const always = ["OWN", ...Object.keys(runtimeSettings)];
  expect(await variables(false)).toEqual(always.toSorted());
  expect(await variables(true)).toEqual([...always, supervisedVariable].toSorted());
});
