/** A bazaar whose services talk by mutual TLS: it trades, fails over, gets new certificates under load, and lets no other in. */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { silentLogger } from "@stock-bazaar/process/log";
import { connectCatalog } from "@stock-bazaar/transport/catalog-client";
import { speakerOf } from "@stock-bazaar/transport/handshake";
import { expect, test } from "vitest";
import { CertificateFolder, makeAuthority, makeCertificate } from "../support/certificates.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { Cluster } from "./support/cluster.ts";
import { expectInvariants } from "./support/invariants.ts";

const certificates = () => new CertificateFolder(join(temporaryFolder(), "certs"));
const reloaded = "new TLS files";

/** Resolves when each service has read new files for the given time. */
function allReloaded(cluster: Cluster, times: number): Promise<unknown> {
  const isDone = ({ lines }: Service) => lines.filter((line) => line.includes(reloaded)).length >= times;
  return eventually(`every service has new files (${times})`, () => cluster.services.every(isDone));
}

test("certificates and CA are replaced under load, and the leader dies: no request fails", async (context) => {
  const [before, next] = [await makeAuthority(), await makeAuthority()];
  const files = await certificates().fill(before);
  const cluster = await Cluster.start(context, { frontEnds: 2, environment: files.environment });
  const traffic = new Traffic({ urls: cluster.urls, clients: 8 });
  await traffic.more(100);

  files.trust(before, next);
  await allReloaded(cluster, 1);
  files.use(await makeCertificate(next, ["127.0.0.1"]));
  await allReloaded(cluster, 2);
  files.trust(next);
  await allReloaded(cluster, 3);
  await traffic.more(100);

  await cluster.order(3).kill();
  await cluster.leaderIs(2);
  cluster.order(3).start();
  await cluster.settled();
  await traffic.more(100);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  await expectInvariants(cluster, { records: traffic.records });
});

test("a stranger is refused, the catalog names its host, and no log has a key", async (context) => {
  const files = await certificates().fill(await makeAuthority());
  const cluster = await Cluster.start(context, { environment: files.environment });
  const [host = "", port] = (
    cluster.environment.CATALOG_ADDRESSES ?? `127.0.0.1:${cluster.environment.CATALOG_PORT}`
  ).split(":");
  const stranger = connectCatalog({ host, port: Number(port) }, 5000, speakerOf("stranger", silentLogger));
  await expect(stranger.register()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  stranger.close();
  const isLogged = (line: string) => line.includes("a client at 127.0.0.1 was refused: it speaks no TLS");
  await eventually("the catalog has logged it", () => cluster.service("catalog").lines.some(isLogged));
  expect(cluster.services.flatMap(({ lines }) => lines).filter((line) => line.includes("PRIVATE"))).toEqual([]);
});

test("a service with files that don't fit ends with code 2 and one line", async () => {
  const files = await certificates().fill(await makeAuthority());
  writeFileSync(files.key, "no key");
  const [port] = await freePorts(1);
  const environment = { ...files.environment, DATA_DIR: temporaryFolder(), CATALOG_PORT: String(port) };
  const service = new Service("catalog", "apps/catalog/main.ts", { environment });
  service.start();
  expect(await service.ended()).toMatchObject({ code: 2 });
  expect(service.lines).toEqual([
    `TLS_KEY must be a file with a private key in PEM form, without a passphrase (got "${files.key}")`,
  ]);
});
