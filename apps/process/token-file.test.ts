import { chownSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { changeTokenFile, parseTokenFile, readTokenFile, type TokenFile } from "./token-file.ts";

const sha256 = "ab".repeat(32);
const other = "cd".repeat(32);
const robot = { name: "robot", sha256, scopes: ["read", "trade"] };

function refusal(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

const parsing = (file: unknown) => refusal(() => parseTokenFile(JSON.stringify(file)));

test("a file has tokens, and may let requests without one do something", () => {
  expect(parseTokenFile(JSON.stringify({ tokens: [{ ...robot, sha256: sha256.toUpperCase() }] }))).toEqual({
    anonymous: [],
    tokens: [robot],
  });
  expect(parseTokenFile('{"anonymous":["read"],"tokens":[]}')).toEqual({ anonymous: ["read"], tokens: [] });
});

test.each<[unknown, string | RegExp]>([
  [[], "the file must be an object with the fields anonymous, tokens"],
  [{}, "tokens must be a list of at most 10000 entries"],
  [{ token: [] }, "the file must be an object with the fields anonymous, tokens"],
  [{ tokens: [], anonymous: "read" }, "anonymous must be a list of read, trade, admin"],
  [{ tokens: [robot, "secret"] }, "tokens[1] must be an object with the fields name, sha256, scopes"],
  [{ tokens: [{ ...robot, scope: [] }] }, "tokens[0] must be an object with the fields name, sha256, scopes"],
  [{ tokens: [{ ...robot, name: "" }] }, /^tokens\[0\]\.name must be 1 to 64 letters/],
  [
    { tokens: [{ ...robot, sha256: "a-secret-token" }] },
    "tokens[0].sha256 must be the SHA-256 of a token, as 64 hexadecimal digits",
  ],
  [{ tokens: [{ ...robot, scopes: ["write"] }] }, "tokens[0].scopes must be a list of read, trade, admin"],
  [{ tokens: [robot, { ...robot, sha256: other }] }, "tokens[0] and tokens[1] must differ in name"],
  [{ tokens: [robot, { ...robot, name: "two" }] }, "tokens[0] and tokens[1] must differ in sha256"],
])("%j is refused by its place, without its value", (file, message) => {
  if (typeof message === "string") expect(parsing(file)).toBe(message);
  else expect(parsing(file)).toMatch(message);
  expect(parsing(file)).not.toMatch(/secret|abab/);
});

test("a file that can't be read, or isn't JSON, is refused with its path and without its text", () => {
  const path = join(temporaryFolder(), "tokens.json");
  const must = `API_TOKENS_FILE must be a file of tokens, as \`bazaar token add\` writes it (got "${path}")`;
  expect(refusal(() => readTokenFile(path))).toBe(`${must}: it can't be read (ENOENT)`);
  writeFileSync(path, "secret");
  expect(refusal(() => readTokenFile(path))).toBe(`${must}: it must be JSON`);
});

test("a file is replaced whole, for its owner only, also through a link", async () => {
  const folder = temporaryFolder();
  const [path, link] = [join(folder, "tokens.json"), join(folder, "link")];
  const file: TokenFile = { anonymous: ["read"], tokens: [{ name: "robot", sha256, scopes: ["read", "trade"] }] };
  writeFileSync(path, '{"tokens":[]}', { mode: 0o644 });
  symlinkSync(path, link);
  const descriptor = statSync(path).ino;
  changeTokenFile(link, (earlier) => {
    expect(earlier).toEqual({ anonymous: [], tokens: [] });
    return file;
  });
  expect(readTokenFile(path)).toEqual(file);
  expect(readFileSync(path, "utf8").endsWith("}\n")).toBe(true);
  const { mode, ino } = statSync(path);
  expect(mode & 0o777).toBe(0o600);
  expect(ino).not.toBe(descriptor);
  expect((await readdir(folder)).toSorted()).toEqual(["link", "tokens.json"]);
});

const one: TokenFile = { anonymous: [], tokens: [{ name: "robot", sha256, scopes: ["read"] }] };
const none: TokenFile = { anonymous: [], tokens: [] };

test("of two commands at once the second is refused, so that it can't bring back what the first revokes", () => {
  const path = join(temporaryFolder(), "tokens.json");
  changeTokenFile(path, () => one);
  changeTokenFile(path, () => {
    expect(refusal(() => changeTokenFile(path, () => one))).toBe(
      `another command changes it; if none runs, delete ${path}.new`,
    );
    return none;
  });
  expect(readTokenFile(path)).toEqual(none);
});

test("a change that fails leaves the file as it was, and the next one works", () => {
  const path = join(temporaryFolder(), "tokens.json");
  changeTokenFile(path, () => one);
  const fail = () => {
    throw new Error("no");
  };
  expect(refusal(() => changeTokenFile(path, fail))).toBe("no");
  expect(readTokenFile(path)).toEqual(one);
  changeTokenFile(path, () => none);
  expect(readTokenFile(path)).toEqual(none);
});

test.skipIf(process.geteuid?.() !== 0)("root leaves the file to its owner (only root can give files away)", () => {
  const path = join(temporaryFolder(), "tokens.json");
  changeTokenFile(path, () => one);
  chownSync(path, 65_534, 65_534);
  changeTokenFile(path, () => none);
  expect(statSync(path)).toMatchObject({ uid: 65_534, gid: 65_534 });
});
