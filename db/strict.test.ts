import { expect, test } from "vitest";
import { makeTablesStrict } from "./strict.ts";

test("every new table becomes STRICT, and nothing else changes", () => {
  const migration = [
    "CREATE TABLE `a` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\tCHECK(id IN (1, 2))\n);\n",
    "\nCREATE UNIQUE INDEX `a_id` ON `a` (`id`);",
    "\nALTER TABLE `a` ADD `b` text DEFAULT 'x' NOT NULL;",
    "\nCREATE TABLE `__new_c` (\n\t`id` integer\n);",
  ];
  expect(makeTablesStrict(migration.join("--> statement-breakpoint")).split("--> statement-breakpoint")).toEqual([
    "CREATE TABLE `a` (\n\t`id` integer PRIMARY KEY NOT NULL,\n\tCHECK(id IN (1, 2))\n) STRICT;\n",
    migration[1],
    migration[2],
    "\nCREATE TABLE `__new_c` (\n\t`id` integer\n) STRICT;",
  ]);
});

test("a table that is STRICT already stays as it is", () => {
  const migration = "CREATE TABLE `a` (\n\t`id` integer\n) STRICT;";
  expect(makeTablesStrict(migration)).toBe(migration);
});
