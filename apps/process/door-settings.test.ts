import { expect, test } from "vitest";
import { readConfig } from "./config.ts";
import { requireGuardedDoor } from "./door-settings.ts";
import type { Environment } from "./environment.ts";

function refusal(environment: Environment): string {
  try {
    requireGuardedDoor(readConfig(environment));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

test("by default there are no tokens, limits, proxies or other origins", () => {
  expect(readConfig({})).toMatchObject({
    apiTokensFile: undefined,
    rateLimits: { trades: 0, reads: 0 },
    requestsMax: 10_000,
    listenersMax: 10_000,
    trustedProxies: [],
    corsOrigins: [],
  });
});

test("every variable is read", () => {
  expect(
    readConfig({
      API_TOKENS_FILE: " tokens.json ",
      RATE_LIMIT_TRADES: "5",
      RATE_LIMIT_READS: "1000000",
      MAX_REQUESTS_UNDER_WAY: "500",
      MAX_EVENT_LISTENERS: "0",
      TRUSTED_PROXIES: "127.0.0.1, 10.0.0.0/8,2001:db8::/32",
      CORS_ORIGINS: "https://shop.example, http://localhost:3000",
    }),
  ).toMatchObject({
    apiTokensFile: "tokens.json",
    rateLimits: { trades: 5, reads: 1_000_000 },
    requestsMax: 500,
    listenersMax: 0,
    trustedProxies: ["127.0.0.1", "10.0.0.0/8", "2001:db8::/32"],
    corsOrigins: ["https://shop.example", "http://localhost:3000"],
  });
});

test.each([
  ["RATE_LIMIT_TRADES", "-1"],
  ["RATE_LIMIT_READS", "1.5"],
  ["MAX_REQUESTS_UNDER_WAY", "0"],
  ["MAX_EVENT_LISTENERS", "many"],
  ["TRUSTED_PROXIES", "proxy.example"],
  ["TRUSTED_PROXIES", "10.0.0.0/33"],
  ["TRUSTED_PROXIES", "10.0.0.1,"],
  ["CORS_ORIGINS", "shop.example"],
  ["CORS_ORIGINS", "https://shop.example/"],
  ["CORS_ORIGINS", "https://shop.example:443"],
  ["CORS_ORIGINS", "null"],
])("%s=%s is refused with what it must be", (variable, value) => {
  const message = refusal({ [variable]: value });
  expect(message).toMatch(new RegExp(`^${variable} must be a `));
  expect(message).toContain(`(got "${value}")`);
});

test.each([
  [
    { FRONTEND_HOST: "192.0.2.1" },
    'FRONTEND_HOST must be on a loopback address, like 127.0.0.1, unless API_TOKENS_FILE is set (got "192.0.2.1"): ALLOW_INSECURE=1 allows it',
  ],
  [
    { FRONTEND_LISTEN: "0.0.0.0:8080" },
    'FRONTEND_LISTEN must be on a loopback address, like 127.0.0.1, unless API_TOKENS_FILE is set (got "0.0.0.0:8080")',
  ],
])("%o needs tokens, or ALLOW_INSECURE=1", (environment, message) => {
  expect(refusal(environment)).toContain(message);
  expect(refusal({ ...environment, API_TOKENS_FILE: "tokens.json" })).toBe("accepted");
  expect(refusal({ ...environment, ALLOW_INSECURE: "1" })).toBe("accepted");
});

test("a front-end that others find elsewhere may listen on loopback, behind a proxy", () => {
  expect(refusal({ FRONTEND_HOST: "bazaar.example", FRONTEND_LISTEN: "127.0.0.1:8080" })).toBe("accepted");
});
