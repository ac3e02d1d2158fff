import { expect, test } from "vitest";
import { revOfTag } from "./stock-tag.ts";

test.each([
  ['"0193b7a2-5c1e-7000-8000-000000000001-42"', 42],
  ['W/"0193b7a2-5c1e-7000-8000-000000000001-42"', 42],
  ['"0"', 0],
  ['"a-page"', undefined],
  ["42", undefined],
  ["", undefined],
  [undefined, undefined],
])("the revision in the tag %s is %s", (tag, rev) => {
  expect(revOfTag(tag)).toBe(rev);
});
