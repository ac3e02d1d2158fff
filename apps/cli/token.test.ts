import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { hashOfToken, readTokenFile } from "@stock-bazaar/process/token-file";
import { expect, test, vi } from "vitest";
import { bazaar } from "../../test/support/command-line.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

// Each test starts processes, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

function setUp() {
  const path = join(temporaryFolder(), "tokens.json");
  const token = (...args: string[]) => bazaar(["token", ...args], { environment: { API_TOKENS_FILE: path } });
  return { path, token };
}

test("a token is shown once and stored as a hash, in a file for its owner alone; it can be listed and revoked", async () => {
  const { path, token } = setUp();
  const added = await token("add", "robot", "--scopes", "trade,read");
  expect(added).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^bzr_[\w-]{43}\n$/) });
  const secret = added.stdout.trim();
  expect(added.stderr).toContain("The token of robot (trade, read)");
  expect(added.stderr).not.toContain(secret);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readFileSync(path, "utf8")).not.toContain(secret);
  expect(readTokenFile(path)).toEqual({
    anonymous: [],
    tokens: [{ name: "robot", sha256: hashOfToken(secret).toString("hex"), scopes: ["read", "trade"] }],
  });

  const second = JSON.parse((await token("add", "keeper", "--scopes", "admin", "--json")).stdout) as object;
  expect(second).toEqual({ name: "keeper", scopes: ["admin"], token: expect.stringMatching(/^bzr_/) });
  expect((await token("list")).stdout).toBe("robot       read, trade\nkeeper      admin\n(no token)  nothing\n");
  expect(await token("revoke", "robot")).toMatchObject({ exitCode: 0, stdout: "robot has no token any more\n" });
  expect(JSON.parse((await token("list", "--json")).stdout)).toEqual({
    anonymous: [],
    tokens: [{ name: "keeper", scopes: ["admin"] }],
  });
});

test("a wrong use changes nothing, and says what must be", async () => {
  const { path, token } = setUp();
  await token("add", "robot", "--scopes", "read");
  const before = readFileSync(path, "utf8");
  for (const [args, exitCode, message] of [
    [["add", "robot", "--scopes", "read"], 1, "a token's name must be new (robot has one; revoke it first)"],
    [["add", "other"], 2, "add needs --scopes, what the token may do"],
    [["add", "other", "--scopes", "write"], 2, "--scopes must be one or several of read, trade, admin"],
    [["add", "a b", "--scopes", "read"], 2, "name must be 1 to 64 letters"],
    [["revoke", "other"], 1, `a token to revoke must be in ${path} (got other; there: robot)`],
    [["revoke"], 2, "revoke needs the name of a token"],
    [["list", "robot"], 2, "list takes no name"],
  ] as const) {
    const ended = await token(...args);
    expect(ended.stderr).toContain(message);
    expect(ended.exitCode).toBe(exitCode);
  }
  expect(readFileSync(path, "utf8")).toBe(before);
});

test("a file that isn't one of tokens is refused, and left as it is", async () => {
  const { path, token } = setUp();
  expect((await token("list")).stderr).toContain("it can't be read (ENOENT)");
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, "mine");
  const ended = await token("add", "robot", "--scopes", "read");
  expect(ended).toMatchObject({ exitCode: 2, stdout: "" });
  expect(ended.stderr).toContain("it must be JSON");
  expect(readFileSync(path, "utf8")).toBe("mine");
  const without = await bazaar(["token", "list"]);
  expect(without.stderr).toContain("--file, or API_TOKENS_FILE, must name the file of the tokens (neither is set)");
});

test("a disk that takes only a part of the new file leaves the old one as it was", () => {
  const { path } = setUp();
  const tokens = Array.from({ length: 10 }, (_, index) => {
    const name = `robot-${index}`;
    return { name, sha256: hashOfToken(name).toString("hex"), scopes: ["read"] };
  });
  writeFileSync(path, JSON.stringify({ tokens }));
  const before = readFileSync(path, "utf8");
  // A write over the limit stores what fits, and only the next one fails, as on a disk that gets full.
  const { status, stdout, stderr } = spawnSync(
    "sh",
    [
      "-c",
      `trap '' XFSZ; ulimit -f 1; exec "$0" "$@"`,
      join(import.meta.dirname, "bazaar"),
      "token",
      "add",
      "other",
      "--scopes",
      "read",
      "--file",
      path,
    ],
    { encoding: "utf8", env: { PATH: process.env.PATH } },
  );
  expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
  expect(stderr).toContain(`${path} must be a file that can be written (EFBIG`);
  expect(readFileSync(path, "utf8")).toBe(before);
  expect(existsSync(`${path}.new`)).toBe(false);
});
