/** Every package that a workspace imports when it runs stands under its `dependencies`, or `--production` leaves it out. */

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const transpilers = { ts: new Bun.Transpiler({ loader: "ts" }), tsx: new Bun.Transpiler({ loader: "tsx" }) };
/** Run by an engineer who has installed everything. */
const forDevelopment = /(\.test|^generate|\/generate|\/strict)\.tsx?$/;

const manifests = ["apps/*", "db", "db/sqlite", "proto"].flatMap((workspace) => [
  ...new Bun.Glob(`${workspace}/package.json`).scanSync(root),
]);

test.each(manifests)("%s", (file) => {
  const folder = join(root, dirname(file));
  const { name, dependencies = {} } = JSON.parse(readFileSync(join(root, file), "utf8")) as {
    name: string;
    dependencies?: Record<string, string>;
  };
  const missing = new Set<string>();
  for (const source of new Bun.Glob("**/*.{ts,tsx}").scanSync(folder)) {
    if (source.includes("node_modules") || forDevelopment.test(source)) continue;
    // A workspace of its own inside another.
    if (manifests.some((other) => other !== file && join(folder, source).startsWith(join(root, dirname(other), "/"))))
      continue;
    const transpiler = transpilers[source.endsWith("x") ? "tsx" : "ts"];
    // Without imports of types.
    for (const { path } of transpiler.scanImports(readFileSync(join(folder, source), "utf8"))) {
      const packageName = /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? "";
      if (/^[./]/.test(path) || isBuiltin(path) || path.startsWith("bun") || packageName === name) continue;
      // Bun's name for what JSX is made of: here it is preact.
      if (packageName === "react" && source.endsWith(".tsx")) continue;
      if (!(packageName in dependencies)) missing.add(`${source} imports ${packageName}`);
    }
  }
  expect([...missing]).toEqual([]);
});
