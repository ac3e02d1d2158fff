import { chmodSync, linkSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { requireOtherFile, requireRegularFile, requireWritable } from "./writable.ts";

test("an existing path and one that can be created are accepted, and nothing is created yet", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "file"), "");
  requireWritable("--out", folder, "folder");
  requireWritable("--out", join(folder, "new", "newer"), "folder");
  requireWritable("--json", join(folder, "file"), "file");
  requireWritable("--json", join(folder, "new", "new.json"), "file");
  expect(readdirSync(folder)).toEqual(["file"]);
});

test.each([
  ["file", "folder", "is a file"],
  ["file/below", "folder", "is a file"],
  ["folder", "file", "is a folder"],
  ["file/x.json", "file", "is a file"],
] as const)("%s as a %s is refused: it %s", (path, kind, why) => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "file"), "");
  mkdirSync(join(folder, "folder"));
  expect(() => requireWritable("--out", join(folder, path), kind)).toThrow(
    new RegExp(`^--out must be a ${kind} that this user may write \\(got ".*${path}"\\): .* ${why}$`),
  );
});

test("an empty name is refused", () => {
  expect(() => requireWritable("--json", "", "file")).toThrow(
    '--json must be a file that this user may write (got ""): the name is empty',
  );
});

// Root may write everywhere.
test.skipIf(process.getuid?.() === 0)("a folder without write permission is refused", () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o500);
  expect(() => requireWritable("--out", join(folder, "new"), "folder")).toThrow("permission denied");
});

test("a result isn't written over a file that must stay, by any of its names", () => {
  const folder = temporaryFolder();
  const kept = join(folder, "catalog.db");
  writeFileSync(kept, "");
  symlinkSync(kept, join(folder, "link"));
  linkSync(kept, join(folder, "other-name"));
  writeFileSync(join(folder, "free"), "");
  const files = [kept, `${kept}-wal`];
  for (const name of ["catalog.db", "link", "other-name", "catalog.db-wal", "../catalog.db"]) {
    const path = name.startsWith("..") ? `${folder}/new/${name}` : join(folder, name);
    const file = name.endsWith("-wal") ? `${kept}-wal` : kept;
    expect(() => requireOtherFile("--file", path, files), name).toThrow(
      `--file must be another file than ${file}, which would be lost (got "${path}")`,
    );
  }
  requireOtherFile("--file", join(folder, "free"), files);
  requireOtherFile("--file", join(folder, "new"), files);
});

test("a device isn't replaced by a file", () => {
  const folder = temporaryFolder();
  symlinkSync("/dev/null", join(folder, "link"));
  for (const path of ["/dev/null", join(folder, "link")]) {
    expect(() => requireRegularFile("--numbers", path)).toThrow(
      `--numbers must be a regular file, not a device or a pipe (got "${path}")`,
    );
  }
  requireRegularFile("--numbers", join(folder, "new"));
});
