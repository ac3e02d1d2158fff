import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../test/support/temporary-folder.ts";
import { migrateFile } from "./migrations.ts";
import { openOrderDatabase, orderFile } from "./open.ts";
import { lockForService } from "./service-lock.ts";

const holder = `
  const { lockForService } = await import(${JSON.stringify(join(import.meta.dirname, "service-lock.ts"))});
  lockForService(process.argv.at(-1));
  console.log("locked");
  setInterval(() => {}, 1000);
`;

test("a second service on a database is refused, a tool isn't, and a killed service leaves no lock behind", async (context) => {
  const folder = temporaryFolder();
  const file = orderFile(folder, 1);
  migrateFile(file, "orders");
  const first = Bun.spawn([process.execPath, "-e", holder, file], { stdout: "pipe" });
  context.onTestFinished(() => first.kill("SIGKILL"));
  const { value } = await first.stdout.getReader().read();
  expect(new TextDecoder().decode(value)).toBe("locked\n");

  expect(() => lockForService(file)).toThrow(
    `DATA_DIR is ${JSON.stringify(folder)}: another service uses order-1.db there; stop it, or choose another folder`,
  );
  openOrderDatabase(folder, 1).close();

  first.kill("SIGKILL");
  await first.exited;
  lockForService(file)();
  lockForService(file)();
});
