import { expect, test } from "vitest";
import { faults } from "./index.ts";
import { faultNames } from "./names.ts";

test("the names are those of all faults, in the order from which a plan chooses", () => {
  expect(faults.map(({ name }) => name)).toEqual([...faultNames]);
});
