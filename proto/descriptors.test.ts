/** What reflection tells must satisfy strict readers, such as those written in Go. */

import { createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { loadDescriptors } from "./descriptors.ts";

const other = `${import.meta.dirname}/../test/fixtures/strict.proto`;
const files = Object.values(loadDescriptors(other)).flatMap(({ fileDescriptorProtos }) =>
  fileDescriptorProtos.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes)),
);
const registries = files.map((file) => createFileRegistry(file, () => undefined));

test("every type of a field is found by its full name", () => {
  const names = registries.flatMap((registry) => [...registry].map(({ typeName }) => typeName));
  expect(names).toEqual(expect.arrayContaining(["bazaar.v1.Catalog", "bazaar.v1.Orders", "strict.Outer.Inner"]));
  const outer = registries.map((registry) => registry.getMessage("strict.Outer")).find(Boolean) as DescMessage;
  const types = outer.fields.map((field) => field.proto.typeName);
  expect(types).toEqual([".strict.Outer.Inner", ".strict.Kind", ".strict.Outer.CountsEntry", ""]);
  expect(outer.fields.map(({ fieldKind }) => fieldKind)).toEqual(["message", "enum", "map", "scalar"]);
});

test("reserved numbers are a range without its end", () => {
  const ranges = files.flatMap(({ messageType }) => messageType.flatMap(({ reservedRange }) => reservedRange));
  expect(ranges.filter(({ start, end }) => start >= end)).toEqual([]);
  const [outer] = files.find(({ package: name }) => name === "strict")?.messageType ?? [];
  expect(outer?.reservedRange).toMatchObject([
    { start: 7, end: 8 },
    { start: 9, end: 12 },
  ]);
});
