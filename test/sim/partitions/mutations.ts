/** The mutations of the rules for several ledgers beside each other (docs/scaling.md). */

import type { Mutation } from "../mutations.ts";

const bazaar = "../test/sim/partitions/partitioned-bazaar.ts";
const rule = "../test/sim/partitions/rule.ts";
/** Number of partitions in the runs that must notice them. */
const partitions = 4;

export const partitionMutations: readonly Mutation[] = [
  {
    name: "a trade's partition is taken from its key, not from its stock",
    rule: "R2",
    partitions,
    edits: [
      {
        file: bazaar,
        find: "const partition = partitionOfStock(trade.name, this.#count);",
        replace: "const partition = homeOfKey(trade.key, this.#count);",
      },
    ],
  },
  {
    name: "a number's partition is read from its high bits",
    rule: "R6",
    partitions,
    edits: [
      {
        file: rule,
        find: "return number % partitions;",
        replace: "return Math.floor(number / 2 ** 50) % partitions;",
      },
    ],
  },
  {
    name: "a number doesn't contain its partition",
    rule: "R2",
    partitions,
    edits: [
      {
        file: rule,
        find: "return id * partitions + partition;",
        replace: "return id * partitions;",
      },
    ],
  },
  {
    name: "a client's key isn't claimed at its home before the trade",
    rule: "R3",
    partitions,
    edits: [{ file: bazaar, find: "if (home !== partition) {", replace: "if (home < 0) {" }],
  },
];
