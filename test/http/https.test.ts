/** HTTPS at the front-end, and the clients that talk to it with a private CA. */

import { join } from "node:path";
import { HttpConnection } from "@stock-bazaar/client/http-connection";
import { LoadConnection } from "@stock-bazaar/client/load-connection";
import { createApp } from "@stock-bazaar/front-end/app";
import { type Listening, listen } from "@stock-bazaar/front-end/listen";
import { frontEndVariables } from "@stock-bazaar/process/addresses";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { trustCa, trustOf } from "@stock-bazaar/process/https-trust";
import { silentLogger } from "@stock-bazaar/process/log";
import { loadHttps } from "@stock-bazaar/process/tls-files";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { CertificateFolder, makeAuthority } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { createTestBazaar } from "./support/bazaar.ts";

let http: Listening;
let files: CertificateFolder;
let other: CertificateFolder;

const folder = async () => new CertificateFolder(join(temporaryFolder(), "certs")).fill(await makeAuthority());

beforeEach(async () => {
  [files, other] = await Promise.all([folder(), folder()]);
  const backing = await createTestBazaar();
  http = listen(
    createApp({ bazaar: backing.bazaar, logger: silentLogger }),
    { host: "127.0.0.1", port: 0, variables: frontEndVariables },
    { logger: silentLogger, requestTimeoutMs: 5000, keepAliveTimeoutMs: 90_000, https: loadHttps(files, Date.now()) },
  );
  onTestFinished(async () => {
    await http.stop();
    await backing.close();
  });
});

const connections = [
  ["HttpConnection", HttpConnection],
  ["LoadConnection", LoadConnection],
] as const;

describe.each(connections)("%s", (_name, Connection) => {
  const get = async (path: string) => {
    const connection = new Connection(http.url, 5000);
    onTestFinished(() => connection.close());
    return connection.request("GET", path, {});
  };

  test("reads lookups, cached ones too, with the CA of the front-end", async () => {
    trustCa("--ca", files.ca);
    expect(http.url).toMatch(/^https:/);
    for (const path of ["/stocks/GameStart", "/stocks/GameStart", "/stocks/GameStart/", "/stocks"])
      expect((await get(path)).status, path).toBe(200);
    expect((await get("/stocks/GameStart")).headers.get("x-cache")).toBe("hit");
  });

  test("sends nothing to a front-end whose certificate is of another CA", async () => {
    trustCa("--ca", other.ca);
    await expect(get("/stocks/GameStart")).rejects.toMatchObject({ name: "NoConnectionError" });
  });
});

test("requests between processes believe the same CA", async () => {
  trustCa("--ca", files.ca);
  expect((await fetchDirectly(`${http.url}/healthz`)).status).toBe(200);
  trustCa("--ca", other.ca);
  await expect(fetchDirectly(`${http.url}/healthz`)).rejects.toThrow("unable to verify the first certificate");
});

test("plain HTTP gets no answer", async () => {
  await expect(fetchDirectly(http.url.replace("https:", "http:"))).rejects.toThrow("closed unexpectedly");
});

test("BAZAAR_CA must be a file with certificates", () => {
  expect(trustOf({})).toEqual({});
  expect(trustOf({ BAZAAR_CA: files.ca }).ca?.length).toBeGreaterThan(1);
  expect(() => trustOf({ BAZAAR_CA: files.key })).toThrow(
    `BAZAAR_CA must be a file with certificates in PEM form (got "${files.key}")`,
  );
  expect(() => trustCa("--ca", "/nowhere")).toThrow(
    '--ca must be a file that this user can read (got "/nowhere"): ENOENT',
  );
});
