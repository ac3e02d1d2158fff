import { expect, test } from "vitest";
import { isFromOwnPage } from "./own-page.ts";

const asked = (scheme: string, origin: string) =>
  isFromOwnPage(
    new Request(`${scheme}://localhost:8080/faults/kill-leader`, { headers: { host: "localhost:8080", origin } }),
    "127.0.0.1",
  );

test("the own page has the scheme of the front-end: a page of the other one isn't it", () => {
  for (const [scheme, other] of [
    ["http", "https"],
    ["https", "http"],
  ] as const) {
    expect(asked(scheme, `${scheme}://localhost:8080`)).toBe(true);
    expect(asked(scheme, `${other}://localhost:8080`)).toBe(false);
  }
});
