import { createServer, type Server } from "node:net";
import { freePorts } from "@stock-bazaar/cluster/ports";
import type { Address } from "@stock-bazaar/process/config";
import { type AddressVariables, frontEndVariables } from "@stock-bazaar/process/listen-error";
import { afterEach, expect, test } from "vitest";
import { isLoopback, requireFreePorts } from "./ports.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** A port that somebody listens on, on every address. */
async function takenPort(): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => {
    server.listen(0, "0.0.0.0", resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

const local = (port = 0) => ({ host: "127.0.0.1", port });
const frontEndOn = (port = 0, variables = frontEndVariables): [AddressVariables, Address] => [variables, local(port)];

test("free ports are fine, twice in a row", async () => {
  const [frontEnd, catalog, order] = await freePorts(3);
  const config = { catalog: local(catalog), replicas: new Map([[1, local(order)]]) };
  await requireFreePorts([frontEndOn(frontEnd)], config);
  await requireFreePorts([frontEndOn(frontEnd)], config);
});

test("a port that is taken is named with its variable", async () => {
  const [free1, free2] = await freePorts(2);
  const taken = await takenPort();
  await expect(
    requireFreePorts([frontEndOn(free1)], { catalog: local(free2), replicas: new Map([[1, local(taken)]]) }),
  ).rejects.toThrow(
    `ORDER_REPLICAS is "127.0.0.1:${taken}": another process listens there (127.0.0.1:${taken}); stop it`,
  );
});

test("a port that two services should have is named with both variables", async () => {
  const [port] = await freePorts(1);
  await expect(requireFreePorts([frontEndOn(port)], { catalog: local(port), replicas: new Map() })).rejects.toThrow(
    `FRONTEND_PORT and CATALOG_PORT both name 127.0.0.1:${port}`,
  );
});

test("options that name the same port are named, in one error", async () => {
  const [port] = await freePorts(1);
  const from = (option: string) => frontEndOn(port, { host: "FRONTEND_HOST", port: option });
  const wanted = requireFreePorts([from("--front-ends"), from("--also")], { catalog: local(), replicas: new Map() });
  await expect(wanted).rejects.toThrow(`--front-ends and --also both name 127.0.0.1:${port}: each needs its own port`);
});

test("an option that names one port twice is named once", async () => {
  const [port] = await freePorts(1);
  const also = frontEndOn(port, { host: "FRONTEND_HOST", port: "--also" });
  const wanted = requireFreePorts([also, also], { catalog: local(), replicas: new Map() });
  await expect(wanted).rejects.toThrow(`--also names 127.0.0.1:${port} twice: each process needs its own port`);
});

test("one address that is written in two ways is named, too", async () => {
  const [port = 0] = await freePorts(1);
  await expect(
    requireFreePorts([[frontEndVariables, { host: "localhost", port }]], { catalog: local(port), replicas: new Map() }),
  ).rejects.toThrow(`CATALOG_PORT is "${port}": another process listens there`);
});

test("an address of another machine is named with its variable", async () => {
  // 192.0.2.0/24 is reserved for documentation.
  const frontEnd = { host: "192.0.2.1", port: 6000 };
  await expect(
    requireFreePorts([[frontEndVariables, frontEnd]], { catalog: local(), replicas: new Map() }),
  ).rejects.toThrow('FRONTEND_HOST is "192.0.2.1": allowed is a name or an address of this machine');
});

test("only addresses that no other machine can reach are loopback", () => {
  for (const host of ["127.0.0.1", "127.8.9.10", "localhost", "[::1]"])
    expect(isLoopback({ host, port: 1 })).toBe(true);
  for (const host of ["0.0.0.0", "[::]", "192.168.1.7", "127.0.0.1.example", "example.org"]) {
    expect(isLoopback({ host, port: 1 }), host).toBe(false);
  }
});
