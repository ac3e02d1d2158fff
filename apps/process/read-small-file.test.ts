import { execFileSync } from "node:child_process";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { readSmallFile } from "./read-small-file.ts";
import { readTokenFile } from "./token-file.ts";
import { loadHttps } from "./tls-files.ts";

test("a file is read", () => {
  const path = join(temporaryFolder(), "file");
  writeFileSync(path, "text");
  expect(readSmallFile(path)).toBe("text");
});

test("a pipe, a device, a folder or a huge file is refused at once", () => {
  const folder = temporaryFolder();
  const [pipe, huge] = [join(folder, "pipe"), join(folder, "huge")];
  execFileSync("mkfifo", [pipe]);
  writeFileSync(huge, "");
  truncateSync(huge, 4 * 1024 * 1024 + 1);
  expect(() => readSmallFile(pipe)).toThrow("it is a pipe or a device");
  expect(() => readSmallFile("/dev/zero")).toThrow("it is a pipe or a device");
  expect(() => readSmallFile(folder)).toThrow("it is a folder");
  expect(() => readSmallFile(huge)).toThrow("it is larger than 4 MiB");
  expect(() => readSmallFile(join(folder, "none"))).toThrow("ENOENT");
  expect(() => readTokenFile(pipe)).toThrow("it can't be read (it is a pipe or a device)");
  expect(() => loadHttps({ certificate: pipe, key: pipe }, 0)).toThrow(
    `FRONTEND_TLS_CERT must be a file that this user can read (got "${pipe}"): it is a pipe or a device`,
  );
});
