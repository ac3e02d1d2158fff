import { expect, test } from "vitest";
import { FrontEnds } from "./front-ends.ts";

const tenMinutesMs = 600_000;

test("the list contains each address once, with its dialect and whether its session still runs", () => {
  const frontEnds = new FrontEnds();
  frontEnds.hello("b:1", "pyro", "one", 0);
  frontEnds.hello("a:1", "bazaar", "two", 0);
  frontEnds.hello("", "bazaar", "three", 0);
  expect(frontEnds.list((session) => session === "one", 10)).toEqual([
    { address: "a:1", live: false, dialect: "bazaar" },
    { address: "b:1", live: true, dialect: "pyro" },
  ]);
});

test("a front-end that begins a new session replaces its entry, and the old session's goodbye doesn't remove it", () => {
  const frontEnds = new FrontEnds();
  frontEnds.hello("a:1", "bazaar", "old", 0);
  frontEnds.hello("a:1", "bazaar", "new", 10);
  frontEnds.goodbye("old");
  expect(frontEnds.list(() => true, 20)).toEqual([{ address: "a:1", live: true, dialect: "bazaar" }]);
  frontEnds.goodbye("new");
  expect(frontEnds.list(() => true, 30)).toEqual([]);
});

test("a front-end that is gone is shown as away until ten minutes after it was last live", () => {
  const frontEnds = new FrontEnds();
  frontEnds.hello("a:1", "bazaar", "s", 0);
  frontEnds.list(() => true, 1000);
  expect(frontEnds.list(() => false, 1000 + tenMinutesMs - 1)).toEqual([
    { address: "a:1", live: false, dialect: "bazaar" },
  ]);
  expect(frontEnds.list(() => false, 1000 + tenMinutesMs)).toEqual([]);
});
