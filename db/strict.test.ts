import { expect, test } from "vitest";
import { makeTablesStrict } from "./strict.ts";

test("makes every new table STRICT and changes nothing else", () => {
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

test("leaves a table that is already STRICT as it is", () => {
  const migration = "CREATE TABLE `a` (\n\t`id` integer\n) STRICT;";
  expect(makeTablesStrict(migration)).toBe(migration);
});
