import { expect, test } from "vitest";
import { catalogVariables, frontEndVariables, replicaVariables } from "./addresses.ts";
import { listenError } from "./listen-error.ts";

const withCode = (code: string) => Object.assign(new Error("listen"), { code });
const address = { host: "10.1.2.3", port: 80, variables: frontEndVariables };

test.each([
  [
    "EADDRINUSE",
    'FRONTEND_PORT must be a free port (got "80"): another process listens there (10.1.2.3:80); stop it, or choose another port',
  ],
  ["EACCES", 'FRONTEND_PORT must be a port above 1023 (got "80"): this user may not listen on a lower one'],
  ["EADDRNOTAVAIL", 'FRONTEND_HOST must be a name or an address of this machine, like 127.0.0.1 (got "10.1.2.3")'],
  ["ENOTFOUND", 'FRONTEND_HOST must be a name or an address of this machine, like 127.0.0.1 (got "10.1.2.3")'],
])("%s names the variable that is wrong", (code, message) => {
  expect(listenError(address, withCode(code)).message).toBe(message);
});

test("the code is read from the text of gRPC's error", () => {
  const error = new Error(
    "No address added out of total 1 resolved errors: [listen EADDRINUSE: address already in use]",
  );
  expect(listenError({ ...address, variables: catalogVariables }, error).message).toMatch(
    /^CATALOG_PORT must be a free port \(got "80"\): another process/,
  );
});

test("of a list of addresses, the wrong one is named", () => {
  expect(listenError({ ...address, variables: replicaVariables }, withCode("EADDRINUSE")).message).toMatch(
    /^ORDER_REPLICAS must name a free port \(got "10\.1\.2\.3:80"\): another process listens there/,
  );
  expect(listenError({ ...address, variables: replicaVariables }, withCode("ENOTFOUND")).message).toBe(
    'ORDER_REPLICAS must have a host that is a name or an address of this machine, like 127.0.0.1 (got "10.1.2.3:80")',
  );
});
