/** `bazaar`, called in another project's folder, neither reads nor runs the Bun and `.env` files there. */

import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import { expect, test } from "vitest";
import manifest from "../../package.json" with { type: "json" };
import { bazaar } from "../support/command-line.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { startUp } from "./support/up.ts";

/** Makes a folder with the files that Bun would read variables from and run. The file `ran` exists once one was run. */
function foreignFolder(): { readonly folder: string; readonly ran: string } {
  const folder = temporaryFolder();
  const ran = join(folder, "ran");
  const wrong = "DATA_DIR=wrong\nFRONTEND_PORT=wrong\nLOG_LEVEL=wrong\n";
  for (const name of [".env", ".env.local", ".env.development", ".env.production"])
    writeFileSync(join(folder, name), wrong);
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(
    join(folder, "preload.ts"),
    `require("node:fs").appendFileSync(${JSON.stringify(ran)}, process.argv.join(" ") + "\\n");\n`,
  );
  return { folder, ran };
}

test("a command reads and runs none of these files, and resolves relative paths in that folder", async () => {
  const { folder, ran } = foreignFolder();
  expect(await bazaar(["migrate"], { cwd: folder })).toMatchObject({ exitCode: 0, stderr: "" });
  writeFileSync(join(folder, "stocks.csv"), "name,price,quantity\nOwn,1.00,1\n");
  const seeded = await bazaar(["seed", "--file", "stocks.csv"], { cwd: folder });
  expect(seeded).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("stocks added: 1") });
  expect(readdirSync(join(folder, "data"))).toContain("catalog.db");
  expect(existsSync(ran)).toBe(false);
  expect(existsSync(join(folder, "wrong"))).toBe(false);
});

test("the `bazaar` in node_modules/.bin is this project's command, and runs none of these files", async () => {
  const { folder, ran } = foreignFolder();
  const child = Bun.spawn([join(root, "node_modules/.bin/bazaar"), "--version"], { cwd: folder, stdout: "pipe" });
  expect(await child.stdout.text()).toBe(`${manifest.version}\n`);
  expect(existsSync(ran)).toBe(false);
});

test("the services that `up` starts read and run none of these files", async (context) => {
  const { folder, ran } = foreignFolder();
  const up = await startUp(context, { cwd: folder });
  expect(up.children().size).toBe(5);
  expect(existsSync(ran)).toBe(false);
});

test("no npm script starts Bun without the flags", () => {
  for (const [name, script] of Object.entries(manifest.scripts)) {
    for (const command of script.split("&&").map((part) => part.trim().replace(/^exec /, ""))) {
      const [program = "", ...words] = command.split(" ");
      if (program !== "bun") expect({ name, program }).not.toEqual({ name, program: expect.stringMatching(/bunx?$/) });
      else expect({ name, flags: words.slice(0, 2) }).toEqual({ name, flags: ["--no-env-file", "--config=/dev/null"] });
    }
  }
});
