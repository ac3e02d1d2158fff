import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLine } from "./advice.ts";

test("commands are those of package.json", () => {
  expect(commandLine("up")).toBe("npm start");
  expect(commandLine("verify")).toBe("npm run verify");
  expect(commandLine("chaos", "--seed 7")).toBe("npm run chaos -- --seed 7");
});

test("no other file spells a command in a message", async () => {
  const root = join(import.meta.dirname, "..", "..");
  const spelled: string[] = [];
  for await (const file of new Bun.Glob("{apps,db}/**/*.{ts,tsx}").scan(root)) {
    if (/node_modules|\.test\.ts$|^apps\/process\/advice\.ts$/.test(file)) continue;
    const code = (await Bun.file(join(root, file)).text()).replaceAll(/\/\*\*.*?\*\/|^\s*\/\/.*$/gms, "");
    // `generate` is for developers of the program.
    for (const [command] of code.matchAll(/npm (start|run (?!generate)[\w-]+)/g)) spelled.push(`${file}: ${command}`);
  }
  expect(spelled, "commands must be named by advice.ts").toEqual([]);
});
