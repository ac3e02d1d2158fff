import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import { version } from "@stock-bazaar/process/version";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { startSystem } from "../running-system.ts";
import { checkoutSystem, nameOfService, readCheckout } from "./checkouts.ts";

/** A folder that looks like an installed checkout, with this program as its `bazaar`. */
function checkoutOf(program: string): string {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "package.json"), '{"name":"stock-bazaar","version":"0.9.0"}');
  mkdirSync(join(folder, "apps/cli"), { recursive: true });
  writeFileSync(join(folder, "apps/cli/main.ts"), program);
  mkdirSync(join(folder, "node_modules/.bin"), { recursive: true });
  symlinkSync(process.execPath, join(folder, "node_modules/.bin/bun"));
  return folder;
}

test("a checkout is named as it was given, with its version", () => {
  expect(readCheckout(root)).toMatchObject({ name: root, folder: root });
  expect(readCheckout(root).version).toMatch(
    new RegExp(`^${version.replaceAll(".", "\\.")}(, commit \\w+(, changed)?)?$`),
  );
  expect(readCheckout(checkoutOf("")).version).toBe("0.9.0");
});

test("a folder that isn't a checkout is refused, and so is one that isn't installed", () => {
  const folder = temporaryFolder();
  const refusal = (name: string) => () => readCheckout(name);
  const other = `--against must name checkouts of stock-bazaar, separated by commas (got "${folder}`;
  expect(refusal(join(folder, "missing"))).toThrow(other);
  expect(refusal(folder)).toThrow(other);
  writeFileSync(join(folder, "package.json"), '{"name":"another"}');
  expect(refusal(folder)).toThrow(other);
  writeFileSync(join(folder, "package.json"), '{"name":"stock-bazaar"}');
  expect(refusal(folder)).toThrow(
    `--against must name checkouts whose packages are installed (got "${folder}"): run \`npm run setup\` there`,
  );
});

test("a checkout that doesn't start is reported with its last lines, and at once", async () => {
  const folder = checkoutOf('console.log("the lease must be shorter", process.argv.slice(2).join()); process.exit(2);');
  const system = checkoutSystem(readCheckout(folder));
  const startMs = performance.now();
  await expect(startSystem(system, new AbortController().signal)).rejects.toThrow(
    `${folder}: up must stay running (it ended)\n--- up\nthe lease must be shorter up`,
  );
  expect(performance.now() - startMs).toBeLessThan(10_000);
});

test("a service of a supervisor is recognized by the name in its environment", () => {
  expect(nameOfService("PATH=/bin\0BAZAAR_SUPERVISED=order-3\0ORDER_ID=3\0")).toBe("order-3");
  expect(nameOfService("PATH=/bin\0XBAZAAR_SUPERVISED=order-3\0")).toBeUndefined();
});
