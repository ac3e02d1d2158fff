/** Checks that the files, sections and versions to which the documents refer exist. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix, resolve } from "node:path";
import { version } from "@stock-bazaar/process/version";
import { messagesVersion } from "@stock-bazaar/proto/version";
import { describe, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../..");
const notOurs = new Set([".git", "node_modules", "data", "test-results"]);

/** Paths of all files and folders, relative to the top of the repository. */
const files = readdirSync(root, { withFileTypes: true })
  .filter(({ name }) => !notOurs.has(name))
  .flatMap((entry) => {
    if (!entry.isDirectory()) return [entry.name];
    const within = readdirSync(join(root, entry.name), { recursive: true, encoding: "utf8" });
    return [
      entry.name,
      ...within.filter((path) => !path.includes("node_modules")).map((path) => `${entry.name}/${path}`),
    ];
  });
const documents = files.filter((path) => path.endsWith(".md"));
const read = (path: string) => readFileSync(join(root, path), "utf8");

describe("links", () => {
  const withoutCode = (markdown: string) => markdown.replaceAll(/```.*?```|`[^`\n]*`/gs, "");
  /** The anchors that GitHub derives from the headings. */
  const anchorsOf = (markdown: string) =>
    [...markdown.replaceAll(/```.*?```/gs, "").matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
    );

  test.each(documents)("%s", (document) => {
    const links = [...withoutCode(read(document)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const broken = links.filter((link) => {
      if (/^\w+:/.test(link)) return false;
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? document : posix.join(dirname(document), path).replace(/\/$/, "");
      if (!files.includes(target)) return true;
      return anchor !== undefined && !anchorsOf(read(target)).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

/** Paths in code spans, like `order/leader.ts`, `apps/chaos/faults/`, `db/*-tables.ts`. They may begin below the top. */
describe("paths", () => {
  /** Paths that commands create. */
  const made = new Set(["data/", "plan.json"]);
  const pathLike =
    /^(?:[\w.*-]+\/)*(?:[\w.*-]+\/|[\w*-][\w.*-]*\.(?:ts|tsx|md|sh|json|proto|csv|yml|css|sql)|\.ci\/run)$/;
  const isThere = (path: string) => {
    const glob = new Bun.Glob(`{,**/}${path.replace(/\/$/, "")}`);
    return files.some((file) => glob.match(file));
  };

  test.each(["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/style.md"])("%s", (document) => {
    const code = read(document).match(/```.*?```|`[^`\n]*`/gs) ?? [];
    const paths = new Set(
      code.flatMap((text) => text.split(/[\s`"'(),:;]+/)).filter((word) => pathLike.test(word) && !made.has(word)),
    );
    expect(paths.size).toBeGreaterThan(20);
    expect([...paths].filter((path) => !isThere(path))).toEqual([]);
  });
});

test("the changelog's newest release is the version in package.json", () => {
  const [newest, next] = [...read("CHANGELOG.md").matchAll(/^## (\S+)/gm)].map(([, name]) => name);
  expect(newest === "Unreleased" ? next : newest).toBe(version);
});

test("commands in the documents send the version of the messages", () => {
  const sent = documents.flatMap((document) =>
    [...read(document).matchAll(/bazaar-messages: (\d+)/g)].map(([, number]) => Number(number)),
  );
  expect(new Set(sent)).toEqual(new Set([messagesVersion]));
});
