/** Shared by the readers of stock files and order files: CSV as people and other systems write it. */

/** The accepted names of each column, in lower case and without blanks, `_` and `-`. */
export type ColumnNames<Role extends string> = Readonly<Record<Role, readonly string[]>>;

/**
 * The index of each column. `undefined` unless the fields are a header: every field names a known column, none occurs
 * twice, and all of `required` are present.
 */
export function findColumns<Role extends string>(
  fields: readonly string[],
  names: ColumnNames<Role>,
  required: readonly Role[],
): ReadonlyMap<Role, number> | undefined {
  const found = new Map<Role, number>();
  const roles = Object.keys(names) as Role[];
  for (const [index, field] of fields.entries()) {
    const name = field.toLowerCase().replace(/[\s_-]/g, "");
    const role = roles.find((candidate) => names[candidate].includes(name));
    if (role === undefined || found.has(role)) return undefined;
    found.set(role, index);
  }
  return required.every((role) => found.has(role)) ? found : undefined;
}

/** Options for CSV as people write it. The readers check the number of columns themselves, with a better message. */
export const csvOptions = {
  bom: true,
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  skip_empty_lines: true,
};

/** The line in which a record begins. csv-parse reports the line in which it ends; quoted fields may hold line ends. */
export function firstLineOf(fields: readonly string[], lastLine: number): number {
  return lastLine - (fields.join("").match(/\r\n|\r|\n/g)?.length ?? 0);
}
