/**
 * The messages of the version before (`neighbour/`) and of this one, in one bazaar: a rolling restart runs both at once. Within
 * a version of the messages, fields and methods may be added; none is removed, renumbered or given another type.
 */

import { join } from "node:path";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { messagesVersion } from "./version.ts";

/** The version of the messages in `neighbour/`. */
const neighbourVersion = 2;

interface Field {
  readonly name: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName: string;
}

interface Described {
  readonly field?: readonly Field[];
  readonly value?: readonly { readonly name: string; readonly number: number }[];
}

/** One line for each field, value of an enum and method: all that both sides must agree on. */
function lines(definitions: PackageDefinition): Set<string> {
  const found = new Set<string>();
  for (const [name, definition] of Object.entries(definitions)) {
    if ("type" in definition) {
      const { field = [], value = [] } = definition.type as Described;
      for (const { number, label, type, typeName, name: named } of field)
        found.add(`${name} ${number}: ${label} ${type} ${typeName} ${named}`);
      for (const { number, name: named } of value) found.add(`${name} ${number}: ${named}`);
    } else {
      for (const { path, requestStream, responseStream, requestType, responseType } of Object.values(definition)) {
        const [request, response] = [requestType, responseType].map((type) => (type.type as { name: string }).name);
        found.add(`${path}: ${requestStream} ${request} ${responseStream} ${response}`);
      }
    }
  }
  return found;
}

const load = (folder: string) => lines(loadSync(["catalog.proto", "orders.proto"], { includeDirs: [folder] }));
const current = load(import.meta.dirname);
const neighbour = load(join(import.meta.dirname, "neighbour"));

test("every field, enum value and method of the version before is as it was", () => {
  expect(neighbour.size).toBeGreaterThan(100);
  expect(neighbour.difference(current), "raise messagesVersion: such a change ends rolling upgrades").toEqual(
    new Set(),
  );
});

test("the version before runs beside this one", () => {
  expect(messagesVersion).toBe(neighbourVersion);
});
