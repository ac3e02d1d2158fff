/** The two kinds of database, and the number in a file's header that names its kind (`application_id` of SQLite). */

export type DatabaseKind = "catalog" | "orders";

/** `BazC` and `BazO` in ASCII. */
export const applicationIds: Record<DatabaseKind, number> = { catalog: 0x42_61_7a_43, orders: 0x42_61_7a_4f };
