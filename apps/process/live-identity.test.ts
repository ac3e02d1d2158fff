import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { CertificateFolder, makeAuthority, makeCertificate } from "../../test/support/certificates.ts";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { LiveIdentity, lookMs } from "./live-identity.ts";

const dayMs = 86_400_000;
let authority: Awaited<ReturnType<typeof makeAuthority>>;

beforeAll(async () => {
  authority = await makeAuthority();
});

async function setUp() {
  const files = await new CertificateFolder(join(temporaryFolder(), "certs")).fill(authority);
  const lines: string[] = [];
  const say = (level: string) => (_figures: unknown, words?: string) =>
    void lines.push(`${level}: ${words ?? String(_figures)}`);
  const clock = new ManualClock({ wallTime: new Date().toISOString() });
  const logger = { info: say("info"), warn: say("warn"), error: say("error") } as never;
  const identity = new LiveIdentity(files, { clock, logger });
  onTestFinished(() => identity.end());
  const seen: string[] = [];
  identity.onChange(({ certificate }) => seen.push(certificate));
  return { files, lines, clock, identity, seen };
}

test("files that didn't change are no news", async () => {
  const { lines, clock, identity, seen } = await setUp();
  const before = identity.current;
  await clock.advance(10 * lookMs);
  expect([identity.current, lines, seen]).toEqual([before, [], []]);
});

test("new files are used at the next look", async () => {
  const { files, lines, clock, identity, seen } = await setUp();
  const next = await makeCertificate(authority, ["localhost"]);
  files.use(next);
  await clock.advance(lookMs);
  expect(identity.current).toMatchObject(next);
  expect(seen).toEqual([next.certificate]);
  expect(lines).toEqual(["info: new TLS files: new connections use them"]);
});

test("a certificate whose key follows a moment later is no fault", async () => {
  const { files, lines, clock, identity } = await setUp();
  const before = identity.current;
  const next = await makeCertificate(authority, ["localhost"]);
  writeFileSync(files.certificate, next.certificate);
  await clock.advance(lookMs);
  expect(identity.current).toBe(before);
  writeFileSync(files.key, next.key);
  await clock.advance(lookMs);
  expect(identity.current).toMatchObject(next);
  expect(lines).toEqual(["info: new TLS files: new connections use them"]);
});

test("files that stay wrong are reported once, and the earlier ones stay in use", async () => {
  const { files, lines, clock, identity, seen } = await setUp();
  const before = identity.current;
  writeFileSync(files.key, "nothing");
  await clock.advance(20 * lookMs);
  expect(identity.current).toBe(before);
  expect(seen).toEqual([]);
  expect(lines).toEqual([
    `error: the new TLS files can't be used, the earlier ones stay in use: TLS_KEY must be a file with a private key in PEM form, without a passphrase (got "${files.key}")`,
  ]);
});

test("a certificate that ends within two weeks is a warning, once a day", async () => {
  const { lines, clock } = await setUp();
  clock.setWall(360 * dayMs);
  await clock.advance(2 * lookMs);
  const soon =
    "warn: the certificate in TLS_CERT, or its CA in TLS_CA, expires soon: replace it, no connection is made after that time";
  expect(lines).toEqual([soon]);
  clock.setWall(dayMs);
  await clock.advance(2 * lookMs);
  expect(lines).toEqual([soon, soon]);
  clock.setWall(10 * dayMs);
  await clock.advance(lookMs);
  expect(lines.at(-1)).toContain("has expired");
});
