import { expect, test } from "vitest";
import { chosenUrl, frontEndUrl } from "./front-end.ts";

test("the URL of a wildcard address is one that a browser can open", () => {
  expect(frontEndUrl({ host: "0.0.0.0", port: 80 }, false)).toBe("http://127.0.0.1:80");
  expect(frontEndUrl({ host: "[::]", port: 80 }, false)).toBe("http://[::1]:80");
  expect(frontEndUrl({ host: "example.org", port: 8080 }, true)).toBe("https://example.org:8080");
});

test("a front-end on the port of HTTPS is asked by HTTPS", () => {
  expect(chosenUrl({ host: "bazaar.example", port: 443 })).toBe("https://bazaar.example:443");
  expect(chosenUrl({ host: "bazaar.example", port: 8080 })).toBe("http://bazaar.example:8080");
});
