import { expect, onTestFinished, test } from "vitest";
import type { ServicePorts } from "./addresses.ts";
import { Relays } from "./relays.ts";

const ports: ServicePorts = {
  catalog: 6000,
  otherCatalogs: new Map(),
  replicas: new Map([
    [1, 6001],
    [2, 6002],
  ]),
  frontEnds: new Map([[1, 8080]]),
};

async function startRelays(): Promise<Relays> {
  const relays = await Relays.start(ports);
  onTestFinished(() => relays.close());
  return relays;
}

test("every process gets the addresses of its own relays, and its own port for itself", async () => {
  const relays = await startRelays();
  const portOf = (from: string, to: string) => relays.of({ from, to }).address.port;
  expect(relays.environmentOf("catalog")).toEqual({
    CATALOG_PORT: "6000",
    ORDER_REPLICAS: "1=127.0.0.1:6001,2=127.0.0.1:6002",
  });
  expect(relays.environmentOf("order-1")).toEqual({
    CATALOG_PORT: String(portOf("order-1", "catalog")),
    ORDER_REPLICAS: `1=127.0.0.1:6001,2=127.0.0.1:${portOf("order-1", "order-2")}`,
  });
  expect(relays.environmentOf("front-end-1")).toEqual({
    CATALOG_PORT: String(portOf("front-end-1", "catalog")),
    ORDER_REPLICAS: `1=127.0.0.1:${portOf("front-end-1", "order-1")},2=127.0.0.1:${portOf("front-end-1", "order-2")}`,
  });
});

test("every link has its own relay, and the catalog has no link to another process", async () => {
  const relays = await startRelays();
  const links = [
    ["order-1", "catalog"],
    ["order-2", "catalog"],
    ["order-1", "order-2"],
    ["order-2", "order-1"],
    ["front-end-1", "catalog"],
    ["front-end-1", "order-1"],
    ["front-end-1", "order-2"],
  ] as const;
  expect(new Set(links.map(([from, to]) => relays.of({ from, to }).address.port)).size).toBe(links.length);
  expect(() => relays.of({ from: "catalog", to: "order-1" })).toThrow("(got catalog → order-1)");
});
