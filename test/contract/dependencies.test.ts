/** Every package that a workspace imports at run time must be in its `dependencies`: `--production` installs no others. */

import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, resolve } from "node:path";
import { expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const transpilers = { ts: new Bun.Transpiler({ loader: "ts" }), tsx: new Bun.Transpiler({ loader: "tsx" }) };
/** Files that run only where the development packages are installed. */
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
    // The file belongs to a workspace inside this one.
    if (manifests.some((other) => other !== file && join(folder, source).startsWith(join(root, dirname(other), "/"))))
      continue;
    const transpiler = transpilers[source.endsWith("x") ? "tsx" : "ts"];
    // `scanImports` leaves out imports of types.
    for (const { path } of transpiler.scanImports(readFileSync(join(folder, source), "utf8"))) {
      const packageName = /^(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? "";
      if (/^[./]/.test(path) || isBuiltin(path) || path.startsWith("bun") || packageName === name) continue;
      // Bun reports JSX as an import of react; here it is compiled for preact.
      if (packageName === "react" && source.endsWith(".tsx")) continue;
      if (!(packageName in dependencies)) missing.add(`${source} imports ${packageName}`);
    }
  }
  expect([...missing]).toEqual([]);
});
