import { describe, expect, test } from "vitest";
import { dialledHere, isLoopback, readAddresses, withoutBrackets } from "./addresses.ts";
import { ConfigError, type Environment } from "./environment.ts";

function refusal(environment: Environment): string {
  try {
    readAddresses(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "accepted";
}

test.each([
  "1",
  "1=host",
  "1=host:0",
  "1=host:70000",
  "0=host:1",
  "65536=host:1",
  "one=host:1",
  "1=host:1,",
  "1=a:1,1=b:2",
  "1=a:1,2=a:1",
  "1=bad host:1",
  Array.from({ length: 10 }, (_, index) => `${index + 1}=host:${index + 1}`).join(","),
])("ORDER_REPLICAS = %s is refused", (value) => {
  expect(refusal({ ORDER_REPLICAS: value })).toMatch(/^ORDER_REPLICAS must be a list of 1 to 9 ID=HOST:PORT/);
});

test("one replica and nine are allowed", () => {
  const nine = Array.from({ length: 9 }, (_, index) => `${index + 1}=host:${index + 1}`).join(",");
  expect(readAddresses({ ORDER_REPLICAS: "5=host:1" }).replicas.size).toBe(1);
  expect(readAddresses({ ORDER_REPLICAS: nine }).replicas.size).toBe(9);
});

test("an IPv6 address may come with brackets or without", () => {
  const hosts = ["::1", "[::1]", "::"].map((host) => readAddresses({ FRONTEND_HOST: host }).frontEnd.host);
  expect(hosts).toEqual(["[::1]", "[::1]", "[::]"]);
  expect(() => readAddresses({ CATALOG_HOST: "host:80" })).toThrow(
    'CATALOG_HOST must be a host name or an IP address (got "host:80")',
  );
});

test("a socket gets an IPv6 address without its brackets, and any other host unchanged", () => {
  expect(["[::1]", "127.0.0.1", "host-a"].map(withoutBrackets)).toEqual(["::1", "127.0.0.1", "host-a"]);
});

test("a wildcard address is dialled on loopback", () => {
  const hosts = ["0.0.0.0", "[::]", "10.1.2.3", "host-a"].map((host) => dialledHere({ host, port: 1 }).host);
  expect(hosts).toEqual(["127.0.0.1", "[::1]", "10.1.2.3", "host-a"]);
});

describe("where a service listens", () => {
  const dialled = {
    FRONTEND_HOST: "bazaar.example",
    FRONTEND_PORT: "80",
    CATALOG_HOST: "catalog",
    ORDER_REPLICAS: "1=order-a:7000,2=order-b:7000",
  };

  test("is where others dial it by default; an error names the variables of that address", () => {
    const { listen } = readAddresses({ ...dialled, FRONTEND_LISTEN: "", CATALOG_LISTEN: " ", ORDER_LISTEN: "" });
    expect(listen.frontEnd).toEqual({
      host: "bazaar.example",
      port: 80,
      variables: { host: "FRONTEND_HOST", port: "FRONTEND_PORT" },
    });
    expect(listen.catalogs[0]).toEqual({
      host: "catalog",
      port: 6000,
      variables: { host: "CATALOG_HOST", port: "CATALOG_PORT" },
    });
    expect(listen.replicas.get(2)).toEqual({
      host: "order-b",
      port: 7000,
      variables: { host: "ORDER_REPLICAS", port: "ORDER_REPLICAS" },
    });
    expect(readAddresses({ CATALOG_ADDRESSES: "host:1" }).listen.catalogs[0]).toEqual({
      host: "host",
      port: 1,
      variables: { host: "CATALOG_ADDRESSES", port: "CATALOG_ADDRESSES" },
    });
  });

  test("may be another address; the addresses that others dial stay the same", () => {
    const { listen, ...others } = readAddresses({
      ...dialled,
      FRONTEND_LISTEN: "0.0.0.0:8080",
      CATALOG_LISTEN: "[::]:6000",
      ORDER_LISTEN: " localhost:6001 ",
    });
    expect(others).toEqual({
      frontEnd: { host: "bazaar.example", port: 80 },
      catalogs: [{ host: "catalog", port: 6000 }],
      replicas: new Map([
        [1, { host: "order-a", port: 7000 }],
        [2, { host: "order-b", port: 7000 }],
      ]),
    });
    const named = (variable: string) => ({ host: variable, port: variable });
    expect(listen.frontEnd).toEqual({ host: "0.0.0.0", port: 8080, variables: named("FRONTEND_LISTEN") });
    expect(listen.catalogs[0]).toEqual({ host: "[::]", port: 6000, variables: named("CATALOG_LISTEN") });
    for (const id of [1, 2])
      expect(listen.replicas.get(id)).toEqual({ host: "localhost", port: 6001, variables: named("ORDER_LISTEN") });
  });

  test.each(["FRONTEND_LISTEN", "CATALOG_LISTEN", "ORDER_LISTEN"])("%s must be HOST:PORT", (variable) => {
    for (const value of [
      "6000",
      ":6000",
      "0.0.0.0",
      "host:0",
      "host:65536",
      "::1:6000",
      "[::1]",
      "a:1,b:2",
      "http://a:1",
    ])
      expect(refusal({ [variable]: value })).toBe(
        `${variable} must be HOST:PORT, with a port from 1 to 65535, like 0.0.0.0:6000 or [::]:6000 (got "${value}")`,
      );
  });
});

describe("CATALOG_ADDRESSES", () => {
  test("names the catalog, as CATALOG_HOST and CATALOG_PORT do; both may be set to the same address", () => {
    const catalogs = (environment: Environment) => readAddresses(environment).catalogs;
    expect(catalogs({ CATALOG_ADDRESSES: " [::1]:7000 " })).toEqual([{ host: "[::1]", port: 7000 }]);
    expect(catalogs({ CATALOG_ADDRESSES: "", CATALOG_PORT: "7000" })).toEqual([{ host: "127.0.0.1", port: 7000 }]);
    const both = { CATALOG_ADDRESSES: "Catalog:7000", CATALOG_HOST: "catalog", CATALOG_PORT: "7000" };
    expect(catalogs(both)).toEqual([{ host: "Catalog", port: 7000 }]);
    expect(catalogs({ CATALOG_ADDRESSES: "[::1]:6000", CATALOG_HOST: "::1" })).toEqual([{ host: "[::1]", port: 6000 }]);
  });

  test("must not contradict them", () => {
    const listed = { CATALOG_ADDRESSES: "catalog:7000" };
    expect(refusal({ ...listed, CATALOG_HOST: "127.0.0.1" })).toBe(
      'CATALOG_HOST must be catalog, as in CATALOG_ADDRESSES, or not be set (got "127.0.0.1")',
    );
    expect(refusal({ ...listed, CATALOG_PORT: "6000" })).toBe(
      'CATALOG_PORT must be 7000, as in CATALOG_ADDRESSES, or not be set (got "6000")',
    );
    expect(refusal({ CATALOG_ADDRESSES: "a:1,b:2", CATALOG_HOST: "b" })).toBe(
      'CATALOG_HOST must be a, as in CATALOG_ADDRESSES, or not be set (got "b"): CATALOG_LISTEN says which of several catalogs a process is',
    );
  });

  test("may name several; each listens at its own address, unless CATALOG_LISTEN is set", () => {
    const own = readAddresses({ CATALOG_ADDRESSES: "a:1,b:2" }).listen.catalogs;
    const variables = { host: "CATALOG_ADDRESSES", port: "CATALOG_ADDRESSES" };
    expect(own).toEqual([
      { host: "a", port: 1, variables },
      { host: "b", port: 2, variables },
    ]);
    const { catalogs, listen } = readAddresses({ CATALOG_ADDRESSES: "a:1,b:2", CATALOG_LISTEN: "127.0.0.1:3" });
    expect(catalogs).toMatchObject([
      { host: "a", port: 1 },
      { host: "b", port: 2 },
    ]);
    expect(listen.catalogs).toMatchObject([{ port: 3 }, { port: 3 }]);
    for (const value of ["a:1,b:2,a:1", "a:1, A:1"])
      expect(refusal({ CATALOG_ADDRESSES: value })).toBe(
        `CATALOG_ADDRESSES must name each catalog once (got "${value}")`,
      );
  });

  test.each(["catalog", "catalog:0", "catalog:1,", "::1:6000", "1=catalog:1"])("= %s is refused", (value) => {
    expect(refusal({ CATALOG_ADDRESSES: value })).toMatch(/^CATALOG_ADDRESSES must be HOST:PORT, .* \(got ".*"\)$/);
  });
});

test("only addresses that no other machine can reach are loopback", () => {
  for (const host of ["127.0.0.1", "127.8.9.10", "localhost", "[::1]"])
    expect(isLoopback({ host, port: 1 })).toBe(true);
  for (const host of [
    "0.0.0.0",
    "[::]",
    "192.168.1.7",
    "127.0.0.1.example",
    "127.0.0.256",
    "localhost.example",
    "example.org",
  ]) {
    expect(isLoopback({ host, port: 1 }), host).toBe(false);
  }
});
