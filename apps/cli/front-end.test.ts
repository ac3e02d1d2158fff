import { expect, test } from "vitest";
import { frontEndUrl } from "./front-end.ts";

test("the URL of a wildcard address is one that a browser can open", () => {
  expect(frontEndUrl({ host: "0.0.0.0", port: 80 })).toBe("http://127.0.0.1:80");
  expect(frontEndUrl({ host: "[::]", port: 80 })).toBe("http://[::1]:80");
  expect(frontEndUrl({ host: "example.org", port: 8080 })).toBe("http://example.org:8080");
});
