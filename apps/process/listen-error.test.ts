import { expect, test } from "vitest";
import { catalogVariables, frontEndVariables, listenError, replicaVariables } from "./listen-error.ts";

const withCode = (code: string) => Object.assign(new Error("listen"), { code });
const address = { host: "10.1.2.3", port: 80 };

test.each([
  ["EADDRINUSE", 'FRONTEND_PORT is "80": another process listens there (10.1.2.3:80); stop it, or choose a free port'],
  ["EACCES", 'FRONTEND_PORT is "80": this user may not listen there; choose a port above 1023'],
  ["EADDRNOTAVAIL", 'FRONTEND_HOST is "10.1.2.3": allowed is a name or an address of this machine, like 127.0.0.1'],
  ["ENOTFOUND", 'FRONTEND_HOST is "10.1.2.3": allowed is a name or an address of this machine, like 127.0.0.1'],
])("%s names the variable that is wrong", (code, message) => {
  expect(listenError(address, frontEndVariables, withCode(code)).message).toBe(message);
});

test("gRPC's words are read for the code in them", () => {
  const error = new Error(
    "No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use]",
  );
  expect(listenError(address, catalogVariables, error).message).toMatch(/^CATALOG_PORT is "80": another process/);
});

test("of a list of addresses the one is named that is wrong", () => {
  expect(listenError(address, replicaVariables, withCode("EADDRINUSE")).message).toMatch(
    /^ORDER_REPLICAS is "10\.1\.2\.3:80": another process listens there/,
  );
});
