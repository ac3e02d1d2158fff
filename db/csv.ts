/** What files of stocks and of orders have in common: CSV as people and other systems write it. */

/** The names that a column may have, without case, blanks, `_` and `-`. */
export type ColumnNames<Role extends string> = Readonly<Record<Role, readonly string[]>>;

/**
 * Where each column is. `undefined` unless the fields are a header: every field names a known column, none twice, and
 * all of `required` are there.
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

/** As people write it. The number of columns is checked with a message of our own. */
export const csvOptions = {
  bom: true,
  record_delimiter: ["\r\n", "\n", "\r"],
  relax_column_count: true,
  skip_empty_lines: true,
};

/** csv-parse counts the line in which a record ends; a quoted field may hold line ends of its own. */
export function firstLineOf(fields: readonly string[], lastLine: number): number {
  return lastLine - (fields.join("").match(/\r\n|\r|\n/g)?.length ?? 0);
}
