/** The command that makes certificates, and what it makes. */

import { readdirSync, readFileSync, statSync } from "node:fs";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { loadIdentity, readTlsFiles } from "@stock-bazaar/process/tls-files";
import { expect, test } from "vitest";
import { bazaar } from "../../test/support/command-line.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

function environmentIn(text: string): Record<string, string> {
  return Object.fromEntries(
    text
      .trim()
      .split("\n")
      .map((line) => line.split("=") as [string, string]),
  );
}

test("makes a CA and a certificate for this machine and the given hosts, and prints the variables", async () => {
  const to = join(temporaryFolder(), "new", "certs");
  const { exitCode, stdout } = await bazaar(["certs", "--to", to, "--host", "catalog.example,10.0.0.7,[fd00::1]"]);
  expect(exitCode).toBe(0);
  const environment = environmentIn(stdout);
  const tls = readTlsFiles(environment);
  if (!tls) throw new Error("the variables must turn TLS on");
  const { certificate } = loadIdentity(tls, Date.now());
  const own = new X509Certificate(certificate);
  for (const host of ["localhost", "catalog.example"]) expect(own.checkHost(host), host).toBe(host);
  for (const address of ["127.0.0.1", "::1", "10.0.0.7", "fd00::1"])
    expect(own.checkIP(address), address).toBe(address);
  const modes = readdirSync(to).map((name) => [name, (statSync(join(to, name)).mode & 0o777).toString(8)]);
  expect(Object.fromEntries(modes)).toEqual({
    "ca-key.pem": "600",
    "ca.pem": "644",
    "cert.pem": "644",
    "key.pem": "600",
  });
});

test("overwrites nothing", async () => {
  const to = join(temporaryFolder(), "certs");
  await bazaar(["certs", "--to", to]);
  const before = readFileSync(join(to, "ca-key.pem"), "utf8");
  const again = await bazaar(["certs", "--to", to]);
  expect(again).toMatchObject({ exitCode: 1, stdout: "" });
  expect(again.stderr).toContain(`${join(to, "ca.pem")} must not exist yet`);
  expect(readFileSync(join(to, "ca-key.pem"), "utf8")).toBe(before);
});

test("refuses a host that is none", async () => {
  const { exitCode, stderr } = await bazaar(["certs", "--host", "a b"]);
  expect(exitCode).toBe(2);
  expect(stderr).toBe('--host must be a host name or an IP address (got "a b")\n');
});
