import { createServer, type Server } from "node:net";
import { networkInterfaces } from "node:os";
import { freePorts } from "@stock-bazaar/cluster/ports";
import {
  type AddressVariables,
  catalogVariables,
  frontEndVariables,
  type ListenAddress,
  replicaVariables,
} from "@stock-bazaar/process/addresses";
import { readConfig } from "@stock-bazaar/process/config";
import { afterEach, expect, test } from "vitest";
import { requireFreePorts, requireNoCatalog } from "./ports.ts";

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Returns a port on which a server listens, on every address. */
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

const local = (variables: AddressVariables, port = 0): ListenAddress => ({ host: "127.0.0.1", port, variables });
const frontEndOn = (port = 0, option = "FRONTEND_PORT") => local({ ...frontEndVariables, port: option }, port);

test("free ports are accepted, and stay free", async () => {
  const [frontEnd, catalog, order] = await freePorts(3);
  const wanted = [frontEndOn(frontEnd), local(catalogVariables, catalog), local(replicaVariables, order)];
  await requireFreePorts(wanted);
  await requireFreePorts(wanted);
});

test("a taken port is reported with its variable", async () => {
  const [free1, free2] = await freePorts(2);
  const taken = await takenPort();
  const wanted = [frontEndOn(free1), local(catalogVariables, free2), local(replicaVariables, taken)];
  await expect(requireFreePorts(wanted)).rejects.toThrow(
    `ORDER_REPLICAS must name a free port (got "127.0.0.1:${taken}"): another process listens there (127.0.0.1:${taken}); stop it`,
  );
});

test("a port must be free where the service listens, not where others dial it", async () => {
  const taken = await takenPort();
  const { listen } = readConfig({
    CATALOG_LISTEN: `127.0.0.1:${taken}`,
    CATALOG_HOST: "192.0.2.1",
    ALLOW_INSECURE: "1",
  });
  await expect(requireFreePorts([...listen.catalogs])).rejects.toThrow(
    `CATALOG_LISTEN must name a free port (got "127.0.0.1:${taken}")`,
  );
});

test("a port of two services is reported with both variables", async () => {
  const [port] = await freePorts(1);
  await expect(requireFreePorts([frontEndOn(port), local(catalogVariables, port)])).rejects.toThrow(
    `FRONTEND_PORT and CATALOG_PORT both name 127.0.0.1:${port}`,
  );
});

test("ORDER_LISTEN can't be the address of several replicas", async () => {
  const [port] = await freePorts(1);
  const { listen } = readConfig({ ORDER_LISTEN: `0.0.0.0:${port}`, ALLOW_INSECURE: "1" });
  await expect(requireFreePorts([...listen.replicas.values()])).rejects.toThrow(
    `ORDER_LISTEN names 0.0.0.0:${port} twice: each process needs its own port`,
  );
});

test("two options with the same port are both named in one error", async () => {
  const [port] = await freePorts(1);
  await expect(requireFreePorts([frontEndOn(port, "--front-ends"), frontEndOn(port, "--also")])).rejects.toThrow(
    `--front-ends and --also both name 127.0.0.1:${port}: each needs its own port`,
  );
});

test("an option with one port twice is named once", async () => {
  const [port] = await freePorts(1);
  const also = frontEndOn(port, "--also");
  await expect(requireFreePorts([also, also])).rejects.toThrow(
    `--also names 127.0.0.1:${port} twice: each process needs its own port`,
  );
});

test("one address that is written in two ways is found, too", async () => {
  const [port = 0] = await freePorts(1);
  const byName = { ...frontEndOn(port), host: "localhost" };
  await expect(requireFreePorts([byName, local(catalogVariables, port)])).rejects.toThrow(
    `FRONTEND_PORT (localhost:${port}) and CATALOG_PORT (127.0.0.1:${port}) name the same port: each needs its own port`,
  );
  const { listen } = readConfig({
    CATALOG_LISTEN: `0.0.0.0:${port}`,
    ORDER_REPLICAS: `1=127.0.0.1:${port}`,
    ALLOW_INSECURE: "1",
  });
  await expect(requireFreePorts([...listen.catalogs, ...listen.replicas.values()])).rejects.toThrow(
    `CATALOG_LISTEN (0.0.0.0:${port}) and ORDER_REPLICAS (127.0.0.1:${port}) name the same port`,
  );
});

test("a port that another process has is reported as taken, even if two services name it", async (context) => {
  const addresses = Object.values(networkInterfaces()).flatMap((ofOne = []) => ofOne.map(({ address }) => address));
  if (!addresses.includes("::1")) context.skip("this machine must have the address ::1");
  const taken = await takenPort();
  const elsewhere = { ...frontEndOn(taken), host: "[::1]" };
  await expect(requireFreePorts([elsewhere, local(catalogVariables, taken)])).rejects.toThrow(
    `CATALOG_PORT must be a free port (got "${taken}"): another process listens there`,
  );
});

test("an address of another machine is reported with its variable", async () => {
  // 192.0.2.0/24 is reserved for documentation.
  await expect(requireFreePorts([{ ...frontEndOn(6000), host: "192.0.2.1" }])).rejects.toThrow(
    'FRONTEND_HOST must be a name or an address of this machine, like 127.0.0.1 (got "192.0.2.1")',
  );
});

test("a catalog that answers is found where others dial it, and where it listens", async () => {
  const [free] = await freePorts(1);
  const taken = await takenPort();
  const nowhere = { CATALOG_PORT: String(free), ALLOW_INSECURE: "1" };
  await expect(requireNoCatalog(readConfig(nowhere), "stop it")).resolves.toBeUndefined();
  for (const environment of [{ CATALOG_PORT: String(taken) }, { ...nowhere, CATALOG_LISTEN: `0.0.0.0:${taken}` }])
    await expect(requireNoCatalog(readConfig(environment), "stop it")).rejects.toThrow(
      `a catalog answers at 127.0.0.1:${taken}: stop it`,
    );
});
