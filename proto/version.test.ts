import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { messagesVersion } from "./version.ts";

/** A hash of the `.proto` files without comments and line breaks, which don't change a message. */
function fingerprint(): string {
  const files = readdirSync(import.meta.dirname)
    .filter((name) => name.endsWith(".proto"))
    .toSorted();
  const hash = createHash("sha256");
  for (const name of files) {
    const text = readFileSync(join(import.meta.dirname, name), "utf8");
    hash.update(`${name}\n${text.replaceAll(/\/\/.*$/gm, "").replaceAll(/\s+/g, " ")}\n`);
  }
  return hash.digest("hex").slice(0, 16);
}

test("the .proto files are those of this version", () => {
  expect(
    { messagesVersion, fingerprint: fingerprint() },
    "the .proto files have changed: decide by proto/version.ts whether that is another version, then put the new figures here",
  ).toEqual({ messagesVersion: 2, fingerprint: "454e408c8d363d33" });
});
