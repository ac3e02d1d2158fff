import { expect, test } from "vitest";
import { isNew, isWhole, lacking } from "./replica-mark.ts";

test.each([
  ["ended cleanly, on any start of any machine", { bootId: "boot-1", synced: true }, "boot-2", true],
  ["ended cleanly, where no boot id is known", { bootId: "", synced: true }, "", true],
  ["was in use since this start of the machine", { bootId: "boot-1", synced: false }, "boot-1", true],
  ["was in use before the machine started again", { bootId: "boot-1", synced: false }, "boot-2", false],
  ["was in use, where no boot id is known", { bootId: "", synced: false }, "", false],
  ["lacks orders", lacking, "boot-1", false],
  ["is new", { bootId: "new", synced: false }, "boot-1", false],
])("a file that %s", (_what, mark, bootId, whole) => {
  expect(isWhole(mark, bootId)).toBe(whole);
});

test("only a file that no service has used is new", () => {
  expect(isNew({ bootId: "new", synced: false })).toBe(true);
  expect(isNew(lacking)).toBe(false);
});
