import { describe, expect, test } from "vitest";
import { catalogListenAddress, readConfig, readReplicaId } from "./config.ts";
import { ConfigError, type Environment } from "./environment.ts";
import { dialectNames } from "@stock-bazaar/contract/dialects";

function refusal(environment: Environment): string {
  try {
    readConfig(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "accepted";
}

test("an empty environment gives the documented defaults", () => {
  const { replicas, listen, ...config } = readConfig({});
  expect(config).toEqual({
    frontEndDialect: "bazaar",
    frontEnd: { host: "127.0.0.1", port: 8080 },
    catalogs: [{ host: "127.0.0.1", port: 6000 }],
    allowInsecure: false,
    dataDir: "./data",
    ledgerFailover: false,
    cacheSize: 1000,
    cacheTtlMs: 0,
    cacheLeaseMs: 500,
    orderMinCopies: 1,
    orderSynchronous: "NORMAL",
    restockIntervalMs: 0,
    restockQuantity: 100,
    rpcTimeoutMs: 3000,
    requestTimeoutMs: 10_000,
    keepAliveTimeoutMs: 90_000,
    drainMs: 250,
    rateLimits: { trades: 0, reads: 0 },
    requestsMax: 10_000,
    listenersMax: 10_000,
    trustedProxies: [],
    corsOrigins: [],
    logLevel: "info",
  });
  expect([...replicas]).toEqual([
    [1, { host: "127.0.0.1", port: 6001 }],
    [2, { host: "127.0.0.1", port: 6002 }],
    [3, { host: "127.0.0.1", port: 6003 }],
  ]);
  expect(listen.frontEnd).toMatchObject(config.frontEnd);
  expect(listen.catalogs[0]).toMatchObject(config.catalogs[0]);
  for (const [id, address] of replicas) expect(listen.replicas.get(id)).toMatchObject(address);
});

test("every variable is read, an empty one counts as not set, and spaces around a value don't matter", () => {
  const config = readConfig({
    FRONTEND_HOST: "0.0.0.0",
    FRONTEND_PORT: " 8081 ",
    CATALOG_HOST: "[::1]",
    CATALOG_PORT: "7000",
    ORDER_REPLICAS: "7=host-a:1, 2=host.b:65535",
    DATA_DIR: "/tmp/bazaar",
    CACHE_SIZE: "0",
    CACHE_TTL_MS: "10",
    CACHE_LEASE_MS: "50",
    ORDER_MIN_COPIES: "2",
    ORDER_SYNCHRONOUS: " FULL ",
    RESTOCK_INTERVAL_MS: "1000",
    RESTOCK_QUANTITY: "2147483647",
    RPC_TIMEOUT_MS: "10",
    REQUEST_TIMEOUT_MS: "",
    LOG_LEVEL: "silent",
    ALLOW_INSECURE: "1",
  });
  expect(config).toMatchObject({
    allowInsecure: true,
    frontEndDialect: "bazaar",
    frontEnd: { host: "0.0.0.0", port: 8081 },
    catalogs: [{ host: "[::1]", port: 7000 }],
    dataDir: "/tmp/bazaar",
    cacheSize: 0,
    cacheTtlMs: 10,
    cacheLeaseMs: 50,
    orderMinCopies: 2,
    orderSynchronous: "FULL",
    restockIntervalMs: 1000,
    restockQuantity: 2_147_483_647,
    rpcTimeoutMs: 10,
    requestTimeoutMs: 10_000,
    logLevel: "silent",
  });
  expect([...config.replicas]).toEqual([
    [2, { host: "host.b", port: 65_535 }],
    [7, { host: "host-a", port: 1 }],
  ]);
});

test("LEDGER_URL is a URL of PostgreSQL; without one the ledger is a file", () => {
  expect(readConfig({ LEDGER_URL: " " }).ledgerUrl).toBeUndefined();
  for (const url of [
    "postgres://localhost/bazaar",
    "postgresql://bazaar:p%40ss@db.example:5432/bazaar?sslmode=require",
    "postgres://bazaar:p@ss@10.0.0.1:5432,10.0.0.2:5433/bazaar",
    "postgres://bazaar@[::1]:5432/bazaar",
  ]) {
    expect(readConfig({ LEDGER_URL: url }).ledgerUrl).toBe(url);
  }
});

test.each([
  ["mysql://user:secret@host/bazaar", "…"],
  ["user:secret@host/bazaar", "…"],
  ["host=db password=secret", "…"],
  ["postgres://user:secret@host:5432", "…"],
  ["postgres://user:secret@host:99999/bazaar", "postgres://user@host:99999/bazaar"],
  ["postgres://user:secret@host:port/bazaar?password=secret", "postgres://user@host:port/bazaar"],
])("LEDGER_URL=%s is refused, and the message shows no password", (value, shown) => {
  expect(refusal({ LEDGER_URL: value })).toBe(
    `LEDGER_URL must be a URL like postgres://user:password@host:5432/database, or empty for SQLite (got "${shown}")`,
  );
});

test("the configuration is frozen", () => {
  expect(Object.isFrozen(readConfig({}))).toBe(true);
});

test.each([
  ["FRONTEND_PORT", "0"],
  ["FRONTEND_PORT", "65536"],
  ["CATALOG_PORT", "6000.5"],
  ["CATALOG_PORT", "0x1770"],
  ["CATALOG_HOST", "127.0.0.1:6000"],
  ["FRONTEND_HOST", "http://localhost"],
  ["LEDGER_FAILOVER", "2"],
  ["LEDGER_FAILOVER", "yes"],
  ["CACHE_SIZE", "-1"],
  ["CACHE_SIZE", "1e3"],
  ["CACHE_TTL_MS", "soon"],
  ["CACHE_LEASE_MS", "0"],
  ["DRAIN_MS", "-1"],
  ["DRAIN_MS", "600001"],
  ["KEEP_ALIVE_TIMEOUT_MS", "999"],
  ["KEEP_ALIVE_TIMEOUT_MS", "600001"],
  ["KEEP_ALIVE_TIMEOUT_MS", "90s"],
  ["ORDER_MIN_COPIES", "0"],
  ["ORDER_SYNCHRONOUS", "full"],
  ["ORDER_SYNCHRONOUS", "OFF"],
  ["RESTOCK_QUANTITY", "0"],
  ["RESTOCK_QUANTITY", "2147483648"],
  ["RPC_TIMEOUT_MS", "0"],
  ["REQUEST_TIMEOUT_MS", "NaN"],
  ["LOG_LEVEL", "loud"],
])("%s = %s is refused: the message names the variable, what it must be and what it was", (variable, value) => {
  const message = refusal({ [variable]: value });
  expect(message).toMatch(new RegExp(`^${variable} must be `));
  expect(message).toContain(`(got ${JSON.stringify(value)})`);
});

test("more copies than there are replicas are refused", () => {
  expect(refusal({ ORDER_MIN_COPIES: "3" })).toBe("accepted");
  expect(refusal({ ORDER_MIN_COPIES: "4" })).toContain("ORDER_MIN_COPIES");
  expect(refusal({ ORDER_REPLICAS: "1=127.0.0.1:1", ORDER_MIN_COPIES: "2" })).toBe(
    'ORDER_MIN_COPIES must be a whole number from 1 to 1, which is how many ORDER_REPLICAS names (got "2")',
  );
});

test("a lease above the default may be at most half of a request's time", () => {
  expect(refusal({ CACHE_LEASE_MS: "5000" })).toBe("accepted");
  expect(refusal({ CACHE_LEASE_MS: "5001" })).toContain("at most half of REQUEST_TIMEOUT_MS, which is 10000");
  expect(refusal({ REQUEST_TIMEOUT_MS: "10" })).toBe("accepted");
});

test("an idle connection stays open for at least as long as a request may take", () => {
  const keepAlive = (environment: Environment) => readConfig(environment).keepAliveTimeoutMs;
  expect(keepAlive({ REQUEST_TIMEOUT_MS: "90001" })).toBe(90_001);
  expect(keepAlive({ KEEP_ALIVE_TIMEOUT_MS: "10000" })).toBe(10_000);
  expect(keepAlive({ KEEP_ALIVE_TIMEOUT_MS: "600000" })).toBe(600_000);
  expect(refusal({ KEEP_ALIVE_TIMEOUT_MS: "9999" })).toBe(
    'KEEP_ALIVE_TIMEOUT_MS must be at least REQUEST_TIMEOUT_MS, which is 10000 (got "9999")',
  );
  expect(refusal({ KEEP_ALIVE_TIMEOUT_MS: "1000", REQUEST_TIMEOUT_MS: "1000" })).toBe("accepted");
});

describe("FRONTEND_DIALECT", () => {
  test.each(dialectNames)("may be %s", (dialect) => {
    expect(readConfig({ FRONTEND_DIALECT: ` ${dialect} ` }).frontEndDialect).toBe(dialect);
  });

  test("must be one of the dialects, in lower case", () => {
    for (const value of ["toystore", "Bazaar", "bazaar,pyro"]) {
      expect(refusal({ FRONTEND_DIALECT: value })).toBe(
        `FRONTEND_DIALECT must be one of bazaar, pyro, streaming, toy-store, pyro-redis (got "${value}")`,
      );
    }
  });

  test("decides how long a request may take, unless REQUEST_TIMEOUT_MS is set: the clients of toy-store give up after 5 s", () => {
    const timeoutsMs = dialectNames.map((dialect) => readConfig({ FRONTEND_DIALECT: dialect }).requestTimeoutMs);
    expect(timeoutsMs).toEqual([10_000, 10_000, 10_000, 4000, 10_000]);
    const set = { FRONTEND_DIALECT: "toy-store", REQUEST_TIMEOUT_MS: "7000" };
    expect(readConfig(set).requestTimeoutMs).toBe(7000);
  });

  test("bounds the lease by the time that its requests may take", () => {
    const toyStore = { FRONTEND_DIALECT: "toy-store" };
    expect(refusal({ ...toyStore, CACHE_LEASE_MS: "2000" })).toBe("accepted");
    expect(refusal({ ...toyStore, CACHE_LEASE_MS: "2001" })).toBe(
      'CACHE_LEASE_MS must be at most half of REQUEST_TIMEOUT_MS, which is 4000 (got "2001")',
    );
    expect(refusal({ ...toyStore, CACHE_LEASE_MS: "2001", REQUEST_TIMEOUT_MS: "4002" })).toBe("accepted");
  });
});

test("ORDER_ID must be one of the replicas", () => {
  const config = readConfig({});
  expect(readReplicaId({ ORDER_ID: " 2 " }, config)).toBe(2);
  for (const value of [undefined, "", "0", "4", "two"]) {
    expect(() => readReplicaId({ ORDER_ID: value }, config)).toThrow(
      /^ORDER_ID must be one of 1, 2, 3, the ids in ORDER_REPLICAS \((got|not set)/,
    );
  }
});

test.each([
  "~/bazaar",
  "~",
  ":memory:",
  "file:data",
  "file:///var/lib/bazaar",
  "s3://bucket/data",
  "$HOME/data",
  '"data"',
  "'data'",
  "%TEMP%",
])("DATA_DIR=%s names no folder", (value) => {
  expect(refusal({ DATA_DIR: value })).toBe(
    `DATA_DIR must be the path of a folder, written out: no ~, quotes or variable of a shell, no URL, no :memory: (got ${JSON.stringify(value)}): write ./${value} for a folder of that name`,
  );
});

test.each(["./~", "./:memory:", "data", "../data", "/srv/data:1", "C:/data"])("DATA_DIR=%s names one", (value) => {
  expect(readConfig({ DATA_DIR: value }).dataDir).toBe(value);
});

test("several catalogs need a ledger that they can share", () => {
  const several = { CATALOG_ADDRESSES: "a:1,b:2", ALLOW_INSECURE: "1" };
  expect(() => readConfig(several)).toThrow(
    'CATALOG_ADDRESSES must have one entry, unless LEDGER_URL names a ledger that several catalogs can share (got "a:1,b:2")',
  );
  const { catalogs } = readConfig({ ...several, LEDGER_URL: "postgres://db/bazaar" });
  expect(catalogs).toMatchObject([{ host: "a" }, { host: "b" }]);
});

test("one of several catalogs must be told where it listens; a single one need not be", () => {
  const listensOn = (environment: Environment) => {
    const { host, port } = catalogListenAddress(
      readConfig({ ...environment, LEDGER_URL: "postgres://db/bazaar", ALLOW_INSECURE: "1" }),
    );
    return `${host}:${port}`;
  };
  for (const listen of [{}, { CATALOG_LISTEN: " " }, { CATALOG_HOST: "a" }, { CATALOG_HOST: "a", CATALOG_PORT: "1" }])
    expect(() => listensOn({ CATALOG_ADDRESSES: "a:1,b:2", ...listen })).toThrow(
      /^CATALOG_LISTEN must be the HOST:PORT on which this catalog listens, because CATALOG_ADDRESSES names several \(not set\)$/,
    );
  expect(listensOn({ CATALOG_ADDRESSES: "a:1,b:2", CATALOG_LISTEN: "b:2" })).toBe("b:2");
  // Behind a forwarded port it may be neither of those that others dial.
  expect(listensOn({ CATALOG_ADDRESSES: "a:1,b:2", CATALOG_LISTEN: "0.0.0.0:6000" })).toBe("0.0.0.0:6000");
  expect(listensOn({ CATALOG_ADDRESSES: "a:1" })).toBe("a:1");
  expect(listensOn({})).toBe("127.0.0.1:6000");
});

describe("a gRPC address that other machines can reach", () => {
  const open: readonly [Environment, string][] = [
    [
      { CATALOG_LISTEN: "0.0.0.0:6000" },
      'CATALOG_LISTEN must be on a loopback address, like 127.0.0.1, unless TLS_CA, TLS_CERT and TLS_KEY are set (got "0.0.0.0:6000")',
    ],
    [{ CATALOG_HOST: "catalog.example" }, "CATALOG_HOST must be on"],
    [{ CATALOG_HOST: "catalog.example", CATALOG_LISTEN: "127.0.0.1:6000" }, "CATALOG_HOST must be on"],
    [{ CATALOG_ADDRESSES: "10.0.0.1:6000", CATALOG_LISTEN: "127.0.0.1:6000" }, "CATALOG_ADDRESSES must be on"],
    [{ ORDER_REPLICAS: "1=127.0.0.1:1,2=[::]:2" }, "ORDER_REPLICAS must be on"],
    [{ ORDER_LISTEN: "[::]:6001" }, "ORDER_LISTEN must be on"],
  ];

  test.each(open)("%o is refused without TLS", (environment, message) => {
    expect(refusal(environment)).toContain(message);
    expect(refusal(environment)).toMatch(
      /: ALLOW_INSECURE=1 allows it, for a network that only the services can reach$/,
    );
  });

  test.each(open)("%o is allowed with TLS, and with ALLOW_INSECURE=1", (environment) => {
    expect(refusal({ ...environment, TLS_CA: "a", TLS_CERT: "b", TLS_KEY: "c" })).toBe("accepted");
    expect(refusal({ ...environment, ALLOW_INSECURE: "1" })).toBe("accepted");
    expect(refusal({ ...environment, ALLOW_INSECURE: "yes" })).toMatch(/^ALLOW_INSECURE must be a whole number/);
  });

  test("may be that of a front-end", () => {
    expect(refusal({ FRONTEND_LISTEN: "0.0.0.0:8080", FRONTEND_HOST: "bazaar.example" })).toBe("accepted");
  });
});
