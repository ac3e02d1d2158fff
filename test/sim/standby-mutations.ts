/** The mutations of the rules for several catalogs on one ledger (R9, R11). */

import type { Edit, Mutation } from "./mutations.ts";

/** Lets the transactions that are marked by `mark` change the ledger in a passed epoch. */
function unchecked(...mark: readonly Edit[]): readonly Edit[] {
  return [
    {
      file: "ledger/postgres/writer.ts",
      find: "    this.#requireEpoch(locked);\n    return",
      replace: "    if (!Object(ask).isUnchecked) this.#requireEpoch(locked);\n    return",
    },
    ...mark,
  ];
}

const ledger = "ledger/postgres/postgres-ledger.ts";
const swap = "ledger/postgres/swap.ts";
const asksAsBefore: Edit = {
  file: ledger,
  find: "ask: (send) => Promise.all([ask(send), findOrder(send, last)]),",
  replace:
    "ask: Object.assign((send) => Promise.all([ask(send), findOrder(send, last)]), { isUnchecked: Object(ask).isUnchecked }),",
};

export const standbyMutations: readonly Mutation[] = [
  {
    name: "trades are applied in a passed epoch",
    rule: "R11",
    edits: unchecked(asksAsBefore, {
      file: ledger,
      find: "      factsOf(trades, mayBeKnown, keys),\n",
      replace: "      Object.assign(factsOf(trades, mayBeKnown, keys), { isUnchecked: true }),\n",
    }),
  },
  {
    name: "a batch in one statement is written in a passed epoch",
    rule: "R11",
    edits: [{ file: swap, find: "WHERE epoch = $1 AND writes", replace: "WHERE writes" }],
  },
  {
    name: "a batch in one statement is written though the ledger has changed",
    rule: "R2",
    edits: [{ file: swap, find: "WHERE epoch = $1 AND writes = $2", replace: "WHERE epoch = $1" }],
  },
  {
    name: "a batch in one statement is written though a key was rejected before",
    rule: "R3",
    edits: [
      {
        file: swap,
        find: "      AND NOT EXISTS (SELECT 1 FROM rejections WHERE key = ANY ($6::text[]))\n",
        replace: "",
      },
    ],
  },
  {
    name: "a statement without an answer goes on as if nothing had happened",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "      if (mayBeDone(error)) throw new UnknownCommit(done, error);\n",
        replace: "",
      },
    ],
  },
  {
    name: "a lead is acquired in a passed epoch",
    rule: "R11",
    edits: unchecked({
      file: ledger,
      find: "ask: (send) => findOrder(send, last),",
      replace: "ask: Object.assign((send) => findOrder(send, last), { isUnchecked: true }),",
    }),
  },
  {
    name: "stocks are restocked in a passed epoch",
    rule: "R11",
    edits: unchecked(asksAsBefore, {
      file: ledger,
      find: "(send) => send<Stock>(emptyStocksAfter, [after, limit]),",
      replace: "Object.assign((send) => send<Stock>(emptyStocksAfter, [after, limit]), { isUnchecked: true }),",
    }),
  },
  {
    name: "rejections are forgotten in a passed epoch",
    rule: "R11",
    edits: unchecked({
      file: ledger,
      find: "ask: (send) => send<{ place: number }>(oldRejections, [upTo, limit]),",
      replace: "ask: Object.assign((send) => send(oldRejections, [upTo, limit]), { isUnchecked: true }),",
    }),
  },
  {
    name: "a lookup is answered without a proof",
    rule: "R11",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "await this.#proven(async () => this.#settled(await this.#ledger.stocks(names)));",
        replace: "await this.#settled(await this.#ledger.stocks(names));",
      },
    ],
  },
  {
    name: "a list is answered without a proof",
    rule: "R11",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "await this.#proven(async () => this.#settled(await this.#ledger.stocksFrom(page)));",
        replace: "await this.#settled(await this.#ledger.stocksFrom(page));",
      },
    ],
  },
  {
    name: "a session begins without a proof",
    rule: "R11",
    edits: [{ file: "catalog/tails.ts", find: '(kind === "hello" || kind === "renew")', replace: 'kind === "renew"' }],
  },
  {
    name: "a lease is renewed without a proof",
    rule: "R11",
    edits: [{ file: "catalog/tails.ts", find: '(kind === "hello" || kind === "renew")', replace: 'kind === "hello"' }],
  },
  {
    name: "a proof that was sent before the request will do",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/proofs.ts",
        find: "const served = this.#waiting;\n    this.#waiting = [];\n    this.#isUnderWay = true;",
        replace: "const served = this.#waiting;\n    this.#isUnderWay = true;",
      },
      { file: "ledger/postgres/proofs.ts", find: "resolveAll(served);", replace: "resolveAll(served.splice(0));" },
      {
        file: "ledger/postgres/proofs.ts",
        find: "for (const { reject } of served) reject(error);",
        replace: "for (const { reject } of served.splice(0)) reject(error);",
      },
    ],
  },
  {
    name: "the stocks that an earlier stand remembered are kept",
    rule: "R11",
    edits: [
      {
        file: ledger,
        find: "const traded = new TradedStocks();",
        replace: "const traded = (Object(connect).traded ??= new TradedStocks());",
      },
    ],
  },
  {
    name: "the register of before the takeover is used",
    rule: "R11",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "return new Catalog(options, register, {",
        replace: "return new Catalog(options, (Object(options.clock).register ??= register), {",
      },
    ],
  },
  {
    name: "the wait for earlier leases counts from the attempt to take over",
    rule: "R9",
    edits: [
      {
        file: "catalog/standby.ts",
        find: "const stand = await takeOver(ends, signal);",
        replace: "Object(clock).attemptMs = clock.nowMs();\n    const stand = await takeOver(ends, signal);",
      },
      {
        file: "catalog/catalog.ts",
        find: "startedMs: clock.nowMs()",
        replace: "startedMs: Object(clock).attemptMs ?? clock.nowMs()",
      },
    ],
  },
  {
    name: "sessions of before the takeover are kept",
    rule: "R9",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "const sessions = new Sessions({",
        replace: "const sessions = Object(clock).sessions ??= new Sessions({",
      },
    ],
  },
  {
    name: "an unknown COMMIT goes on as if nothing had happened",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "if (await this.#hasHappened(error)) return this.#keep(transaction, error.done as Done<Outcome>);",
        replace: "this.#renew('lost');",
      },
    ],
  },
  {
    name: "an unknown COMMIT counts as done",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "if (await this.#hasHappened(error)) return",
        replace: "this.#renew('lost');\n          return",
      },
    ],
  },
  {
    name: "an unknown COMMIT stays unknown although a later transaction has told",
    rule: "R10",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "if (await this.#hasHappened(error)) return this.#keep(transaction, error.done as Done<Outcome>);",
        replace: `if (await this.#hasHappened(error)) return this.#keep(transaction, error.done as Done<Outcome>);
          Object(transaction).isUnknown = true;`,
      },
      {
        file: "ledger/postgres/writer.ts",
        find: "if (!mayPass(error) || clock.nowMs() + delayMs > endMs) throw",
        replace: "if (!Object(transaction).isUnknown && (!mayPass(error) || clock.nowMs() + delayMs > endMs)) throw",
      },
    ],
  },
  {
    name: "the proof that a server counts is counted as a transaction",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "if (this.#options.failover) await this.#prove(connection);\n      else",
        replace: `if (this.#options.failover) {
          const register = changed(locked, {});
          await commitAll(connection, [setRegister(register)]);
          return { outcome, register };
        } else`,
      },
    ],
  },
  {
    name: "a statement without an answer may still be done after it was found not to have happened",
    rule: "R10",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: "{ outcome: false, register: { writes: register.writes } }",
        replace: "{ outcome: false }",
      },
    ],
  },
  {
    name: "a failure that may pass isn't tried again",
    rule: "R10",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: 'return failure === "passing" || failure === "lost" || error',
        replace: "return error",
      },
    ],
  },
  {
    name: "a deadline doesn't throw the connection away",
    rule: "R10",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: 'if (failure === "other") return;\n    this.#link.renew();',
        replace: 'if (failure === "other") return;',
      },
    ],
  },
  {
    name: "a successor doesn't end what the server still does for the catalog before it",
    rule: "R11",
    edits: [
      { file: "ledger/postgres/holder.ts", find: '  if (old !== "") await endOld(connection, epoch);\n', replace: "" },
    ],
  },
  {
    name: "a catalog that no caller reaches keeps the ledger",
    rule: "R11",
    edits: [{ file: "catalog/callers.ts", find: "if (quiet < this.#quietChecks) return;", replace: "return;" }],
  },
  {
    name: "a passed epoch is FENCED",
    rule: "R11",
    edits: [
      {
        file: "ledger/postgres/writer.ts",
        find: 'new BazaarError("NOT_ACTIVE", `${name} was taken over',
        replace: 'new BazaarError("FENCED", `${name} was taken over',
      },
    ],
  },
];
