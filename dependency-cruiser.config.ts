/**
 * Which files may import which: `npm run check` fails on an import of a higher room, and on a circle.
 *
 * A room is a workspace; ARCHITECTURE.md describes each. Tests may import anything.
 */

import type { IConfiguration, IForbiddenRuleType } from "dependency-cruiser";

/** From the bottom up. A room imports from the lines before its own, never from another room of its line. */
const rooms = [
  ["proto", "apps/shared"],
  ["apps/contract"],
  ["apps/process"],
  ["apps/transport", "db/sqlite"],
  ["apps/ledger", "apps/order-log"],
  ["db"],
  ["apps/catalog", "apps/order", "apps/dashboard"],
  ["apps/front-end"],
  // What follows are tools: no service imports them.
  ["apps/report"],
  ["apps/client"],
  ["apps/cluster"],
  ["apps/evaluation", "apps/chaos"],
  ["apps/bench"],
  ["apps/cli"],
];

/** Folders within a room, ranked in the same way. */
const folders = [["apps/cli/up"], ["apps/cli/commands"], ["apps/cli/definitions"]];

/** Packages that few folders may import: all other code uses the interfaces of these folders. */
const packages: readonly (readonly [name: string, importers: readonly string[]])[] = [
  // The generated code of proto names its types, and bench connects to systems of its own.
  ["@grpc/grpc-js", ["proto", "apps/transport", "apps/bench"]],
  ["better-sqlite3", ["db/sqlite"]],
  ["pg", ["apps/ledger/postgres"]],
  ["drizzle-orm", ["db", "apps/ledger/sqlite", "apps/ledger/postgres", "apps/order-log/sqlite"]],
];

/** Matches the paths in these folders. db/sqlite is a room of its own, not a part of db. */
function inside(...names: string[]): string {
  return `^(${names.map((name) => (name === "db" ? "db/(?!sqlite/)" : `${name}/`)).join("|")})`;
}

function lookingDown(ranks: readonly string[][], what: string): IForbiddenRuleType[] {
  return ranks.flatMap((rank, height) => {
    const below = ranks.slice(0, height).flat();
    return rank.flatMap((name) => {
      const others = ranks
        .slice(height)
        .flat()
        .filter((other) => other !== name);
      if (others.length === 0) return [];
      const comment = `${name} may import only ${what}s below it: ${below.join(", ") || "there are none"}`;
      return {
        name: `${name} looks down`,
        comment,
        severity: "error",
        from: { path: inside(name) },
        to: { path: inside(...others) },
      };
    });
  });
}

const config: IConfiguration = {
  forbidden: [
    ...lookingDown(rooms, "room"),
    ...lookingDown(folders, "folder"),
    {
      name: "rooms are ranked",
      comment: "a new room must get its line in dependency-cruiser.config.ts",
      severity: "error",
      from: { path: "^(apps|db|proto)/", pathNot: inside(...rooms.flat()) },
      to: {},
    },
    {
      name: "tests stay outside",
      comment: "code must not import from tests",
      severity: "error",
      from: {},
      to: { path: "^test/" },
    },
    {
      name: "no circles",
      comment: "files must not import each other in a circle, not even types: move what both need into a third file",
      severity: "error",
      from: {},
      to: { circular: true },
    },
    {
      name: "everything is found",
      comment: "an import must lead to a file or a package, otherwise these rules can't check it",
      severity: "error",
      from: {},
      to: { couldNotResolve: true, pathNot: "^bun$" },
    },
    {
      name: "one door to the ledger",
      comment: "the ledger's store must be opened through apps/ledger/chosen-store.ts, except by code for its file",
      severity: "error",
      from: { path: "^(apps|db)/", pathNot: "^apps/(ledger/|chaos/(faults/|evidence\\.ts)|bench/floor\\.ts)" },
      to: { path: "^apps/ledger/(sqlite|postgres)/" },
    },
    ...packages.map(
      ([name, importers]): IForbiddenRuleType => ({
        name: `${name} stays behind its door`,
        comment: `${name} may be imported only in ${importers.join(", ")}`,
        severity: "error",
        from: { pathNot: `^(${importers.map((importer) => `${importer}/`).join("|")})` },
        to: { path: `node_modules/${name}/` },
      }),
    ),
  ],
  options: {
    // TypeScript 7 has no API for other programs yet.
    parser: "swc",
    exclude: { path: "\\.test\\.tsx?$" },
    doNotFollow: { path: "node_modules|^test/" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["bun", "import", "default"] },
  },
};

export default config;
