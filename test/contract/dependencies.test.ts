/** What is installed: exact versions, licences that go with ours, and at run time every package that is imported. */

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

/** Each may be used, changed and passed on in a program of any licence. */
const permissive = [
  "0BSD",
  "Apache-2.0",
  "BlueOak-1.0.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "ISC",
  "MIT",
  "Unlicense",
  "Zlib",
];
/** Tools that no part of a running bazaar contains may also have these. */
const forTools = [...permissive, "MPL-2.0", "PSF-2.0"];

/** The packages whose licence isn't among `allowed`: every part of an AND must be, one of an OR. */
function otherLicences(allowed: readonly string[], ...args: string[]): string[] {
  const { stdout } = Bun.spawnSync([process.execPath, "pm", "licenses", "--json", ...args], { cwd: root });
  const packages = JSON.parse(stdout.toString()) as Record<string, { name: string; versions: string[] }[]>;
  expect(Object.keys(packages)).toContain("MIT");
  const fits = (licence: string) =>
    licence
      .replaceAll(/[()]/g, "")
      .split(" OR ")
      .some((choice) => choice.split(" AND ").every((part) => allowed.includes(part)));
  return Object.entries(packages).flatMap(([licence, found]) =>
    fits(licence) ? [] : found.map(({ name, versions }) => `${name} ${versions.join(", ")}: ${licence}`),
  );
}

test("every licence allows to use, change and pass on", () => {
  expect(otherLicences(permissive, "--prod")).toEqual([]);
  expect(otherLicences(forTools)).toEqual([]);
});

test.each(["package.json", ...manifests])("%s names exact versions", (file) => {
  const { dependencies, devDependencies, optionalDependencies } = JSON.parse(
    readFileSync(join(root, file), "utf8"),
  ) as Record<string, Record<string, string>>;
  const inexact = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
    ([name, version]) =>
      name.startsWith("@stock-bazaar/") ? version !== "*" : !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
  );
  expect(inexact).toEqual([]);
});

/** `--production` installs only these. */
test.each(manifests)("%s has what its files import at run time among its dependencies", (file) => {
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
