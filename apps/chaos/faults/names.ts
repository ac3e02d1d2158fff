/** The names of the faults, apart from their code, so that the command line's `--help` doesn't load it. */

export const faultNames = [
  "kill-leader",
  "kill-follower",
  "kill-catalog",
  "kill-front-end",
  "kill-two-replicas",
  "kill-all-replicas",
  "kill-leader-and-catalog",
  "kill-everything",
  "freeze-leader",
  "freeze-follower",
  "freeze-catalog",
  "freeze-front-end",
  "kill-new-leader",
  "kill-catching-up",
  "kill-catalog-unseen",
  "lose-replica-database",
  "kill-migration",
  "kill-first-migration",
  "fill-replica-disk",
  "fill-catalog-disk",
  "cut-leader-from-catalog",
  "cut-replica-from-catalog",
  "cut-front-end-from-catalog",
  "cut-replicas",
  "cut-front-end-from-leader",
  "restart-catalog-with-another-lease",
  "old-catalog",
] as const;

export type FaultName = (typeof faultNames)[number];
