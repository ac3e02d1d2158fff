import { expect, test } from "vitest";
import { faults } from "./index.ts";
import { faultNames } from "./names.ts";

test("every fault has a name that may be asked for, in the order from which a plan chooses", () => {
  expect(faults.map(({ name }) => name)).toEqual([...faultNames]);
});
