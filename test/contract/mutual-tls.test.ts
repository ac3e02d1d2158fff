/** Mutual TLS between two services: who is let in, what is said where somebody is not, and new files without a restart. */

import { join } from "node:path";
import { connect } from "node:tls";
import { catalogVariables } from "@stock-bazaar/process/addresses";
import { LiveIdentity, lookMs } from "@stock-bazaar/process/live-identity";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { connectCatalog } from "@stock-bazaar/transport/catalog-client";
import { serveCatalog } from "@stock-bazaar/transport/catalog-service";
import { createClient } from "@stock-bazaar/transport/client";
import { CallerHandshake, type Speaker } from "@stock-bazaar/transport/handshake";
import { startServer } from "@stock-bazaar/transport/server";
import { eventually } from "@stock-bazaar/cluster/wait";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { CertificateFolder, makeAuthority, makeCertificate } from "../support/certificates.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

type Authority = Awaited<ReturnType<typeof makeAuthority>>;

const register: Register = { term: 7, leader: 3, head: 42, life: "a life", stocks: 10 };
const timeoutMs = 5000;
let ours: Authority;
let theirs: Authority;

beforeAll(async () => {
  [ours, theirs] = await Promise.all([makeAuthority(), makeAuthority()]);
});

/** A service's side of a connection, and what it has logged. */
interface Side extends Speaker {
  readonly lines: string[];
  readonly clock: ManualClock;
}

function speaking(name: string, files?: CertificateFolder): Side {
  const lines: string[] = [];
  const say = (...words: unknown[]) => void lines.push(String(words.at(-1)));
  const logger = { info: say, warn: say, error: say };
  // A certificate is valid at the time of its making.
  const clock = new ManualClock({ wallTime: new Date().toISOString() });
  const identity = files && new LiveIdentity(files, { clock, logger: logger as never });
  return { name, version: 1, logger: logger as never, identity, lines, clock };
}

const folder = () => new CertificateFolder(join(temporaryFolder(), "certs"));
const folderOf = (authority: Authority, hosts?: readonly string[]) => folder().fill(authority, hosts);

async function serve(side: Side, port = 0) {
  const stub = { register: async () => register } as unknown as Parameters<typeof serveCatalog>[0];
  const address = { host: "127.0.0.1", port, variables: catalogVariables };
  const server = await startServer(address, serveCatalog(stub, side));
  onTestFinished(() => server.stop(0));
  return server;
}

function dial(side: Speaker, port: number, host = "127.0.0.1") {
  const client = connectCatalog({ host, port }, timeoutMs, side);
  onTestFinished(() => client.close());
  return client;
}

async function refusal(side: Speaker, port: number, host?: string): Promise<string> {
  return dial(side, port, host)
    .register()
    .then(
      () => "answered",
      (error: unknown) => `${BazaarError.from(error).code}: ${BazaarError.from(error).message}`,
    );
}

describe("two services with certificates of one CA", () => {
  test.each(["127.0.0.1", "localhost"])("talk to each other at %s", async (host) => {
    const { port } = await serve(speaking("catalog", await folderOf(ours)));
    const caller = speaking("order-1", await folderOf(ours));
    expect(await dial(caller, port, host).register()).toEqual(register);
    expect(caller.lines).toEqual([]);
  });

  test("serve health and reflection too, as probes ask for it", async () => {
    const files = await folderOf(ours);
    const { port } = await serve(speaking("catalog", files));
    const client = createClient(
      { host: "127.0.0.1", port },
      new CallerHandshake(speaking("probe", files), "the catalog"),
    );
    onTestFinished(() => client.close());
    const bytes = (message: Buffer) => message;
    const health = await new Promise<Buffer | undefined>((resolve, reject) => {
      client.makeUnaryRequest("/grpc.health.v1.Health/Check", bytes, bytes, Buffer.alloc(0), (error, reply) =>
        error ? reject(error) : resolve(reply),
      );
    });
    // Field 1, SERVING.
    expect([...(health ?? [])]).toEqual([0x08, 0x01]);
    const reflection = client.makeBidiStreamRequest(
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      bytes,
      bytes,
    );
    const services = await new Promise<string>((resolve, reject) => {
      reflection.on("data", (reply: Buffer) => resolve(reply.toString("latin1")));
      reflection.on("error", reject);
      // Field 7: the list of services.
      reflection.write(Buffer.from([0x3a, 0x00]));
    });
    reflection.end();
    expect(services).toContain("bazaar.v1.Catalog");
  });

  test.each(["127.0.0.1", "localhost"])("don't at %s if the server's certificate is for other hosts", async (host) => {
    const { port } = await serve(speaking("catalog", await folderOf(ours, ["10.1.2.3", "bazaar.example"])));
    const caller = speaking("order-1", await folderOf(ours));
    const line = new RegExp(
      `^the catalog at ${host}:${port} can't be trusted: its certificate is for other hosts \\(.*10\\.1\\.2\\.3`,
    );
    expect(await refusal(caller, port, host)).toMatch(/^UNAVAILABLE: the catalog at /);
    await refusal(caller, port, host);
    expect(caller.lines.length).toBe(2);
    expect(caller.lines[0]).toMatch(line);
  });
});

describe("a server with TLS refuses", () => {
  test("a caller without TLS, and says so once", async () => {
    const catalog = speaking("catalog", await folderOf(ours));
    const { port } = await serve(catalog);
    for (let times = 0; times < 2; times += 1) expect(await refusal(speaking("order-1"), port)).toMatch(/^UNAVAILABLE/);
    await eventually("the server has logged it", () => catalog.lines.length > 0, { timeoutMs });
    expect(catalog.lines).toEqual(["a client at 127.0.0.1 was refused: it speaks no TLS"]);
  });

  test("a caller with a certificate of another CA", async () => {
    const catalog = speaking("catalog", await folderOf(ours));
    const { port } = await serve(catalog);
    const stranger = folder();
    stranger.trust(ours, theirs);
    stranger.use(await makeCertificate(theirs, ["localhost"]));
    expect(await refusal(speaking("order-1", stranger), port)).toMatch(/^UNAVAILABLE/);
    await eventually("the server has logged it", () => catalog.lines.length > 0, { timeoutMs });
    expect(catalog.lines).toEqual(["a client at 127.0.0.1 was refused: its certificate is from no CA in TLS_CA"]);
  });

  test("a caller that shows no certificate", async () => {
    const catalog = speaking("catalog", await folderOf(ours));
    const { port } = await serve(catalog);
    const socket = connect({ host: "127.0.0.1", port, ca: ours.certificate, ALPNProtocols: ["h2"] });
    await new Promise<void>((resolve) => socket.on("error", () => resolve()).on("close", () => resolve()));
    socket.destroy();
    await eventually("the server has logged it", () => catalog.lines.length > 0, { timeoutMs });
    expect(catalog.lines).toEqual(["a client at 127.0.0.1 was refused: it shows no certificate"]);
  });
});

describe("a caller with TLS refuses", () => {
  test("a server without TLS, and says so once", async () => {
    const { port } = await serve(speaking("catalog"));
    const caller = speaking("order-1", await folderOf(ours));
    const client = dial(caller, port);
    const line = `the catalog at 127.0.0.1:${port} speaks no TLS: set TLS_CA, TLS_CERT and TLS_KEY there too`;
    for (let times = 0; times < 2; times += 1)
      await expect(client.register()).rejects.toMatchObject({ code: "UNAVAILABLE", message: line });
    expect(caller.lines).toEqual([line]);
  });

  test("a server with a certificate of another CA", async () => {
    const { port } = await serve(speaking("catalog", await folderOf(theirs)));
    const caller = speaking("order-1", await folderOf(ours));
    const line = `the catalog at 127.0.0.1:${port} can't be trusted: its certificate is from no CA in TLS_CA`;
    expect(await refusal(caller, port)).toBe(`UNAVAILABLE: ${line}`);
    expect(caller.lines).toEqual([line]);
  });
});

describe("new files", () => {
  test("are used by new connections of servers and callers, without a restart", async () => {
    const files = await folderOf(ours);
    const catalog = speaking("catalog", files);
    const { port } = await serve(catalog);
    const caller = speaking("order-1", files);
    const open = dial(caller, port);
    expect(await open.register()).toEqual(register);
    const look = async () => {
      for (const { clock } of [catalog, caller]) await clock.advance(lookMs);
    };

    files.trust(ours, theirs);
    await look();
    expect(await dial(caller, port).register()).toEqual(register);
    files.use(await makeCertificate(theirs, ["127.0.0.1"]));
    await look();
    expect(await dial(caller, port).register()).toEqual(register);
    files.trust(theirs);
    await look();
    expect(await dial(caller, port).register()).toEqual(register);
    expect(await open.register()).toEqual(register);
    expect(await refusal(speaking("order-2", await folderOf(ours)), port)).toMatch(/from no CA in TLS_CA$/);
    expect(caller.lines.every((line) => line === "new TLS files: new connections use them")).toBe(true);
    expect(caller.lines.length).toBe(3);
  });
});
