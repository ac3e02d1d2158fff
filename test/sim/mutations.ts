/**
 * The mutations: each removes one rule by replacing a few words of the code as it is loaded. A simulation that finds
 * nothing proves something only if it fails with each of these.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { plugin } from "bun";
import { partitionMutations } from "./partitions/mutations.ts";
import { standbyMutations } from "./standby-mutations.ts";

export interface Mutation {
  readonly name: string;
  readonly rule: string;
  /** Why no check needs to fail: no promise rests on this rule alone. */
  readonly whyUnnoticed?: string;
  /** The seed to start from, a little below one in which a check fails. */
  readonly firstSeed?: number;
  /** The number of partitions in the seeds that must notice it, without directed cases; `undefined` for one ledger. */
  readonly partitions?: number;
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** Path relative to `apps/`. */
  readonly file: string;
  /** Must occur exactly once in the file. */
  readonly find: string;
  readonly replace: string;
}

export const mutations: readonly Mutation[] = [
  ...standbyMutations,
  ...partitionMutations,
  {
    name: "the fingerprint of a key isn't compared",
    rule: "R3",
    edits: [
      {
        file: "ledger/decide.ts",
        find: "known.fingerprint === fingerprint(trade) ?",
        replace: "known.fingerprint !== '' ?",
      },
    ],
  },
  {
    name: "keys aren't stored",
    rule: "R3",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "insertOrders(decision.orders.map(orderValues))",
        replace:
          "insertOrders(decision.orders.map((order) => orderValues({ ...order, key: `${order.key} ${order.id}` })))",
      },
    ],
  },
  {
    name: "before a minted key is refused, the ledger isn't asked for it",
    rule: "R3",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "refusesAny(decision) && mayBeKnown.length < keys.length ?",
        replace: "refusesAny(decision) && mayBeKnown.length < 0 ?",
      },
    ],
  },
  {
    name: "minted keys aren't looked for among the rejections",
    rule: "R3",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "rejectionsByKeys.all(JSON.stringify(keys))",
        replace: "rejectionsByKeys.all(JSON.stringify(mayBeKnown))",
      },
    ],
  },
  {
    name: "a batch with a minted key that the ledger holds isn't decided anew",
    rule: "R3",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: 'if (sqliteCode(error) !== "SQLITE_CONSTRAINT_UNIQUE" || batch.mayBeKnown === undefined) throw error;',
        replace: "if (batch.term >= 0) throw error;",
      },
    ],
  },
  {
    name: "a retry is still marked as the first send of a minted key",
    rule: "R3",
    whyUnnoticed:
      "the mark only saves a look-up: the unique index, the rejections and the second look before a refusal find the key",
    edits: [
      {
        file: "front-end/trades.ts",
        find: "placed.item = { trade: item.trade, minted: false };",
        replace: "void item;",
      },
    ],
  },
  {
    name: "the catalog remembers what isn't committed",
    rule: "R2",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "      insertOrders(decision.orders.map(orderValues));",
        replace: "      memory.committed(decision);\n      insertOrders(decision.orders.map(orderValues));",
      },
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "      memory.forget();\n      throw error;",
        replace: "      throw error;",
      },
    ],
  },
  {
    name: "rejections aren't stored",
    rule: "R3",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "insertRejection.run(key, fingerprint, reason, createdAt);",
        replace: "void [key, fingerprint, reason, createdAt];",
      },
    ],
  },
  {
    name: "a key twice in one batch is decided twice",
    rule: "R3",
    edits: [{ file: "ledger/decide.ts", find: "decidedHere.get(trade.key) ?? ", replace: "" }],
  },
  {
    name: "the stock moves in the next transaction",
    rule: "R2",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "  function currentRegister(): LedgerRegister {",
        replace: "  let late: readonly Stock[] = [];\n  function currentRegister(): LedgerRegister {",
      },
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "const decision = decideOn(current.head);",
        replace:
          "for (const { quantity, volume, rev, name } of late) setStock.run(quantity, volume, rev, name);\n" +
          "      late = [];\n      const decision = decideOn(current.head);",
      },
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "    for (const { quantity, volume, rev, name } of decision.stocks) setStock.run(quantity, volume, rev, name);",
        replace: "    late = decision.stocks;",
      },
    ],
  },
  {
    name: "changes are sent to the front-ends in any order",
    rule: "R7",
    firstSeed: 220,
    edits: [{ file: "catalog/catalog.ts", find: "this.#writing.then(begin).then(", replace: "begin().then(" }],
  },
  {
    name: "the leader answers without waiting for copies",
    rule: "R5",
    edits: [{ file: "order/leader.ts", find: "this.#followers.confirmed(head), ", replace: "" }],
  },
  {
    name: "the leader answers before its own commit",
    rule: "R5",
    edits: [
      {
        file: "order/leader.ts",
        find: "    this.#followers.poke();\n",
        replace: "    this.#followers.poke();\n    this.#followers.stored(last.id);\n",
      },
    ],
  },
  {
    name: "copies of followers are counted without the leader's",
    rule: "R5",
    edits: [
      { file: "order/copies.ts", find: "if (this.#followersMin === 0) return this.#ownId;", replace: "" },
      {
        file: "order/copies.ts",
        find: "const ackedIds = [...this",
        replace: "const ackedIds = [this.#ownId, ...this",
      },
      {
        file: "order/copies.ts",
        find: "Math.min(this.#ownId, ackedIds[this.#followersMin - 1] ?? 0)",
        replace: "ackedIds[this.#followersMin] ?? 0",
      },
    ],
  },
  {
    name: "copies are waited for up to the last new order, not up to the head",
    rule: "R5",
    edits: [
      {
        file: "order/leader.ts",
        find: "calls: readonly Call[], { answers, head }: Applied",
        replace: "calls: readonly Call[], { answers, orders, head }: Applied",
      },
      {
        file: "order/leader.ts",
        find: "this.#followers.confirmed(head), ",
        replace: "this.#followers.confirmed(orders.rows.at(-1)?.id ?? 0), ",
      },
    ],
  },
  {
    name: "a trade is applied though too few followers are live",
    rule: "R5",
    edits: [{ file: "order/leader.ts", find: "!this.#followers.enough", replace: "this.tailId < 0" }],
  },
  {
    name: "every follower is waited for",
    rule: "R5",
    edits: [
      {
        file: "order/copies.ts",
        find: "if (this.#followersMin === 0) return this.#ownId;",
        replace: "if (this.#followersMin >= 0) return Math.min(this.#ownId, ...this.#ackedIds.values());",
      },
    ],
  },
  {
    name: "one copy is always enough",
    rule: "R5",
    edits: [{ file: "order/copies.ts", find: "ackedIds[this.#followersMin - 1] ?? 0", replace: "this.#ownId" }],
  },
  {
    name: "a follower acknowledges before it has stored",
    rule: "R5",
    edits: [
      {
        file: "order/followed-stream.ts",
        find: "    this.#storing.push(orders.rows);",
        replace:
          "    this.#storing.push(orders.rows);\n" +
          "    const { id: lastId } = orders.rows.at(-1)!;\n" +
          "    this.#stream.send({ replica: this.#options.replicaId, lastId, last: undefined });",
      },
    ],
  },
  {
    name: "a follower stores repeated orders again",
    rule: "R4",
    firstSeed: 230,
    edits: [
      {
        file: "order/followed-stream.ts",
        find: "const next = continuation(log.lastId, orders);",
        replace: "const next = orders.filter(({ id }) => id > log.lastId);",
      },
    ],
  },
  {
    name: "the leader accepts a gap",
    rule: "R4",
    edits: [
      {
        file: "order/leader.ts",
        find: "if (firstId === this.tailId + 1) this.#take(orders);",
        replace: "this.#take(orders);",
      },
    ],
  },
  {
    name: "the leader never reads missing orders from the ledger",
    rule: "R1",
    edits: [{ file: "order/leader.ts", find: "while (this.tailId < head) {", replace: "while (this.tailId < 0) {" }],
  },
  {
    name: "a leader that stops hands over to nobody",
    rule: "R1",
    edits: [
      { file: "order/replica.ts", find: "if (successors.length > 0) {", replace: "if (successors.length > 9) {" },
    ],
  },
  {
    name: "a former leader follows before its own writes have ended",
    rule: "R1",
    edits: [{ file: "order/replica.ts", find: "this.#retired = leader.stored();", replace: "void leader.stored();" }],
  },
  {
    name: "a miss isn't confirmed with the ledger",
    rule: "R6",
    firstSeed: 320,
    edits: [
      {
        file: "order/replica.ts",
        find: "    if (order) return order;\n",
        replace: "    if (order || id > 0) return order;\n",
      },
    ],
  },
  {
    name: "settling never waits for the front-ends",
    rule: "R7",
    edits: [
      { file: "catalog/settlement.ts", find: "if (id <= this.#settledId()) return", replace: "if (id >= 0) return" },
    ],
  },
  {
    name: "the leader answers a trade before it is settled",
    rule: "R7",
    edits: [
      { file: "order/leader.ts", find: "? undefined : this.#settled(head);", replace: "? undefined : undefined;" },
    ],
  },
  {
    name: "a front-end that is alone answers a trade before its cache has processed the change",
    rule: "R7",
    edits: [
      {
        file: "front-end/trades.ts",
        find: "!(await settlement?.settled(traded))",
        replace: "traded.head < 0",
      },
    ],
  },
  {
    name: "a front-end that isn't alone settles changes by itself",
    rule: "R7",
    edits: [
      { file: "front-end/tail.ts", find: "    this.#standsAlone(alone);", replace: "    this.#standsAlone(true);" },
    ],
  },
  {
    name: "a lookup returns unsettled changes",
    rule: "R7",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "async () => this.#settled(await this.#ledger.stocks(names))",
        replace: "() => this.#ledger.stocks(names)",
      },
    ],
  },
  {
    name: "a change is acknowledged though one before it is missing",
    rule: "R7",
    edits: [
      {
        file: "front-end/tail.ts",
        find: "if (previousHead > this.#acked) return",
        replace: "if (previousHead < 0) return",
      },
    ],
  },
  {
    name: "a change doesn't raise the floor",
    rule: "R8",
    edits: [{ file: "front-end/stock-cache.ts", find: "    this.#floor.set(name, rev);\n", replace: "" }],
  },
  {
    name: "a change doesn't evict",
    rule: "R8",
    edits: [
      {
        file: "front-end/stock-cache.ts",
        find: "if (entry && entry.stock.rev < rev) this.drop(name);",
        replace: "void entry;",
      },
    ],
  },
  {
    name: "a change replaces a cached stock while another front-end may still serve the older one",
    rule: "R8",
    edits: [{ file: "catalog/sessions.ts", find: "if (other !== id && expiresMs > nowMs) return false;", replace: "" }],
  },
  {
    name: "a change replaces a cached stock while sessions from before the catalog's start may still serve",
    rule: "R9",
    edits: [{ file: "catalog/sessions.ts", find: "if (nowMs < this.#quietUntilMs) return false;", replace: "" }],
  },
  {
    name: "the cache serves without a lease",
    rule: "R8",
    edits: [
      {
        file: "front-end/stock-cache.ts",
        find: "return monotonicMs < sent.monotonicMs + leaseMs && elapsedWallMs >= 0 && elapsedWallMs < leaseMs;",
        replace: "return monotonicMs > 0 && elapsedWallMs !== leaseMs;",
      },
    ],
  },
  {
    name: "a lease counts from the receipt of the answer",
    rule: "R8",
    edits: [
      {
        file: "front-end/tail.ts",
        find: "const sent = this.#sent.get(sequence);",
        replace: "const sent = this.#sent.has(sequence) ? momentOn(this.#options.clock) : undefined;",
      },
    ],
  },
  {
    name: "the cache keeps a lookup from before the session",
    rule: "R8",
    edits: [
      {
        file: "front-end/live-bazaar.ts",
        find: "this.#cache.fill(session, stock, nowMs);",
        replace: "this.#cache.fill(this.#cache.session ?? session, stock, nowMs);",
      },
    ],
  },
  {
    name: "a session is forgotten when its stream ends",
    rule: "R9",
    firstSeed: 1060,
    edits: [
      {
        file: "catalog/tails.ts",
        find: "this.#open.get(session) === handlers) this.#open.delete(session);",
        replace:
          "this.#open.get(session) === handlers) {\n        this.#open.delete(session);\n        this.#sessions.goodbye(session);\n      }",
      },
    ],
  },
  {
    name: "a session is kept no longer than a lease",
    rule: "R9",
    firstSeed: 110,
    edits: [{ file: "catalog/sessions.ts", find: "const leaseMargin = 0.15;", replace: "const leaseMargin = 0;" }],
  },
  {
    name: "sessions expire by the wall clock",
    rule: "R9",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "    const { ledger, clock, logger, leaseMs } = options;",
        replace:
          "    const { ledger, logger, leaseMs } = options;\n" +
          "    const { clock: own } = options;\n" +
          "    const clock: Clock = { nowMs: () => own.wallMs(), wallMs: () => own.wallMs(),\n" +
          "      after: (delayMs, action) => own.after(delayMs, action), soon: (action) => own.soon(action) };",
      },
    ],
  },
  {
    name: "a repeated hello acknowledges changes",
    rule: "R9",
    edits: [
      {
        file: "catalog/sessions.ts",
        find: "if (session) session.expiresMs = nowMs + this.#keepMs;",
        replace: "if (session) this.#sessions.set(id, { acked: head, expiresMs: nowMs + this.#keepMs });",
      },
    ],
  },
  {
    name: "a repeated hello restarts a session that is over",
    rule: "R9",
    edits: [
      {
        file: "catalog/tails.ts",
        find: "if (session !== undefined && (session !==",
        replace: "if (session === '' && (session !==",
      },
    ],
  },
  {
    name: "an expired session can be renewed",
    rule: "R9",
    edits: [
      {
        file: "catalog/sessions.ts",
        find: "if (!session || session.expiresMs <= nowMs) return false;",
        replace: "if (!session) return this.hello(id, acked, nowMs, ''), true;",
      },
      {
        file: "catalog/tails.ts",
        find: "        this.#open.delete(session);\n        handlers.ended(sessionOver());",
        replace: "",
      },
    ],
  },
  {
    name: "an expired session is forgotten only when a change waits for it",
    rule: "R9",
    edits: [{ file: "catalog/tails.ts", find: "    this.#sessions.expire(nowMs);\n", replace: "" }],
  },
  {
    name: "the catalog settles at once after its start",
    rule: "R9",
    firstSeed: 205,
    edits: [
      {
        file: "catalog/sessions.ts",
        find: "options.startedMs + keptMs(options.foundLeaseMs);",
        replace: "options.startedMs;",
      },
    ],
  },
  {
    name: "a ledger that has lost its end keeps serving",
    rule: "R2",
    edits: [
      {
        file: "ledger/leadership.ts",
        find: "if (last === undefined || isSameOrder(found, last)) return;",
        replace: "if (last === undefined || last.id > head || isSameOrder(found, last)) return;",
      },
    ],
  },
  {
    name: "a leader's last order isn't compared with the ledger",
    rule: "R2",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "    requireOrder(last, current.head, current.leader);\n",
        replace: "    void last;\n",
      },
    ],
  },
  {
    name: "a ledger that has lost its end refuses only the leader",
    rule: "R2",
    edits: [
      {
        file: "catalog/whole-ledger.ts",
        find: "if (last === undefined || !endsBefore(register, last)) return;",
        replace: "if (last === undefined || !endsBefore(register, last) || last.id > 0) return;",
      },
    ],
  },
  {
    name: "a follower doesn't send the catalog its last order",
    rule: "R2",
    edits: [{ file: "order/follower.ts", find: "register(undefined, log.last)", replace: "register(undefined)" }],
  },
  {
    name: "the head that a front-end has seen isn't compared with the ledger",
    rule: "R2",
    edits: [
      {
        file: "catalog/lost-end.ts",
        find: "return seen.life === life && seen.head > head;",
        replace: "return seen.life === life && seen.head < 0 && head < 0;",
      },
    ],
  },
  {
    name: "a hello doesn't contain the head that its front-end has seen",
    rule: "R2",
    edits: [
      {
        file: "front-end/tail.ts",
        find: "      ledger: { seen },\n    } = this.#options;",
        replace: "    } = this.#options;\n    const seen = undefined;",
      },
    ],
  },
  {
    name: "a rebuilt ledger is taken for an old copy",
    rule: "R2",
    edits: [
      {
        file: "catalog/lost-end.ts",
        find: "return seen.life === life && seen.head > head;",
        replace: "return seen.life !== '' && life !== '' && seen.head > head;",
      },
    ],
  },
  {
    name: "a second rebuild reuses the terms of the first",
    rule: "R1",
    edits: [
      {
        file: "ledger/replay.ts",
        find: "return Math.max(lastTerm + termsSkipped, nowMs);",
        replace: "return lastTerm + termsSkipped + nowMs * 0;",
      },
    ],
  },
  {
    name: "orders are compared by number and key alone",
    rule: "R1",
    edits: [
      {
        file: "shared/domain.ts",
        find:
          "    one?.name === other?.name &&\n    one?.type === other?.type &&\n    one?.quantity === other?.quantity &&\n" +
          "    one?.priceCents === other?.priceCents &&\n    one?.term === other?.term &&\n    one?.createdAt === other?.createdAt\n",
        replace: "    one?.id === other?.id\n",
      },
    ],
  },
  {
    name: "a leader that can't reach the catalog isn't replaced",
    rule: "R1",
    edits: [
      {
        file: "front-end/leader-choice.ts",
        find: "return this.#leader !== undefined && this.#cutOff === undefined;",
        replace: "return this.#leader !== undefined;",
      },
    ],
  },
  {
    name: "a leader whose writes are slow reports itself as cut off",
    rule: "R1",
    edits: [
      {
        file: "order/catalog-reach.ts",
        find: "        this.#reaches = true;\n      } catch",
        replace: "        this.#reaches = false;\n      } catch",
      },
    ],
  },
  {
    name: "a replica that can't lead is asked again and again",
    rule: "R1",
    edits: [
      {
        file: "front-end/leader-choice.ts",
        find: "return this.#options.clock.nowMs() >= (this",
        replace: "return id < 0 && 0 >= (this",
      },
    ],
  },
  {
    name: "a timer never reports that it was late",
    rule: "R1",
    edits: [
      { file: "shared/clock.ts", find: "action(Math.max(0, clock.nowMs() - dueMs))", replace: "action(0 * dueMs)" },
    ],
  },
  {
    name: "after a start the catalog waits only for its own lease",
    rule: "R9",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "found.endedCleanly ? 0 : Math.max(found.leaseMs, leaseMs);",
        replace: "found.endedCleanly ? 0 : leaseMs;",
      },
    ],
  },
  {
    name: "the lease's length isn't written to the register",
    rule: "R9",
    edits: [
      {
        file: "ledger/sqlite/sqlite-ledger.ts",
        find: "setLeases.run(leaseMs, endedCleanly ? 1 : 0)",
        replace: "setLeases.run(Math.min(leaseMs, 0), endedCleanly ? 1 : 0)",
      },
    ],
  },
  {
    name: "a shorter lease is written to the register at once",
    rule: "R9",
    edits: [
      {
        file: "catalog/registered-lease.ts",
        find: "if (waitMs <= 0) return void",
        replace: "if (waitMs <= waitMs) return void",
      },
    ],
  },
  {
    name: "an end with running leases is marked as clean",
    rule: "R9",
    edits: [
      {
        file: "catalog/sessions.ts",
        find: "return nowMs >= this.#quietUntilMs && this.#sessions.size === 0;",
        replace: "return nowMs >= this.#quietUntilMs;",
      },
    ],
  },
  {
    name: "an end before the leases of an earlier catalog have expired is marked as clean",
    rule: "R9",
    edits: [
      {
        file: "catalog/sessions.ts",
        find: "return nowMs >= this.#quietUntilMs && this.#sessions.size === 0;",
        replace: "return this.#sessions.size === 0;",
      },
    ],
  },
  {
    name: "the mark of a clean end stays when the catalog starts again",
    rule: "R9",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "await ledger.setLeases({ leaseMs: registeredMs, endedCleanly: false });",
        replace: "await ledger.setLeases({ leaseMs: registeredMs, endedCleanly: found.endedCleanly });",
      },
    ],
  },
  {
    name: "a rebuilt catalog ignores the leases that front-ends report",
    rule: "R9",
    edits: [{ file: "catalog/registered-lease.ts", find: "    sessions.foundLease(leaseMs);\n", replace: "" }],
  },
  {
    name: "a reported lease of the ledger's own life extends the wait",
    rule: "R9",
    edits: [{ file: "catalog/registered-lease.ts", find: "    if (leaseLife === life) return;\n", replace: "" }],
  },
  {
    name: "a machine's sleep isn't noticed",
    rule: "R8",
    edits: [
      {
        file: "front-end/stock-cache.ts",
        find: " && elapsedWallMs >= 0 && elapsedWallMs < leaseMs;",
        replace: " && elapsedWallMs !== Number.NaN;",
      },
    ],
  },
  {
    name: "the catalog starts without a checkpoint after a failed sync",
    rule: "–",
    edits: [
      {
        file: "catalog/catalog.ts",
        find: "    await untilCheckpointed(() => ledger.checkpoint(), options);\n",
        replace: "    void untilCheckpointed;\n",
      },
    ],
  },
  {
    name: "the ledger's commit doesn't wait for the disk",
    rule: "R2",
    edits: [
      {
        file: "../db/sqlite/connection.ts",
        find: "client.pragma(`synchronous = ${synchronous}`);",
        replace: "client.pragma(`synchronous = ${synchronous.slice(0, 0)}NORMAL`);",
      },
    ],
  },
  {
    name: "a catalog is rebuilt by itself after a power cut",
    rule: "I9",
    edits: [
      {
        file: "order-log/replica-mark.ts",
        find: 'bootId !== "" && mark.bootId === bootId',
        replace: 'bootId !== mark.bootId || mark.bootId !== ""',
      },
    ],
  },
  {
    name: "a new file counts as whole, though it may stand in for a lost one",
    rule: "I9",
    edits: [
      {
        file: "order-log/replica-mark.ts",
        find: "return mark.synced || (",
        replace: "return mark.synced || mark.bootId === newBootId || (",
      },
    ],
  },
  {
    name: "the mark of a replica's file is renewed before the replica has caught up",
    rule: "I9",
    edits: [{ file: "order/mark-renewal.ts", find: "log.lastId < head", replace: "log.lastId < head - head" }],
  },
  {
    name: "the mark of a replica's clean end isn't cleared before the first append",
    rule: "I9",
    edits: [
      {
        file: "order-log/sqlite/kept-mark.ts",
        find: "writeMark(client, this.#isWhole ? this.#inUse : lacking);",
        replace: "if (!this.#isWhole) writeMark(client, lacking);",
      },
    ],
  },
  {
    name: "the mark of a replica's clean end is cleared, but not synced",
    rule: "I9",
    edits: [
      {
        file: "order-log/sqlite/kept-mark.ts",
        find: "durably(client, () => void write.run(bootId, synced ? 1 : 0));",
        replace: "if (synced) durably(client, () => void write.run(bootId, 1));\n  else write.run(bootId, 0);",
      },
    ],
  },
  {
    name: "a clean end marks a file as whole that lacks orders",
    rule: "I9",
    edits: [{ file: "order-log/sqlite/kept-mark.ts", find: "if (!this.#isWhole) return;\n", replace: "\n" }],
  },
  {
    name: "rejections are forgotten too soon",
    rule: "R3",
    edits: [
      {
        file: "catalog/old-rejections.ts",
        find: "nowMs - oldest.atMs >= this.#keptMs",
        replace: "nowMs - oldest.atMs >= 0",
      },
    ],
  },
  {
    name: "a settled order number of an earlier life counts in this one",
    rule: "R7",
    whyUnnoticed:
      "a trade that is in flight while the catalog is rebuilt fails anyway, because its leader is stopped too",
    edits: [
      { file: "front-end/tail.ts", find: "    if (life !== this.#life) return false;\n", replace: "" },
      {
        file: "front-end/tail.ts",
        find: "return life === this.#life && head <=",
        replace: "return life !== '' && head <=",
      },
    ],
  },
  {
    // Terms give order, not safety: what fails is progress, rarely, when an old leader keeps a follower that the new one needs.
    name: "an old term may still apply",
    rule: "R2",
    firstSeed: 5940,
    edits: [
      {
        file: "ledger/leadership.ts",
        find: 'if (register.term !== term) throw new BazaarError("FENCED"',
        replace: 'if (register.term < term) throw new BazaarError("FENCED"',
      },
    ],
  },
  {
    name: "a new leader serves before it has caught up",
    rule: "R1",
    whyUnnoticed:
      "its first answer makes it read the missing orders anyway; without the rule, only its list of orders is short for a moment",
    edits: [{ file: "order/replica.ts", find: "      await leader.catchUp(head);\n", replace: "      void head;\n" }],
  },
];

/** Installs a mutation. Must be called before a module of `apps/` is loaded. Throws if a text to replace isn't there. */
export function installMutation(name: string): void {
  const mutation = mutations.find((other) => other.name === name);
  if (!mutation)
    throw new Error(
      `the mutation must be one of ${mutations.map((other) => `"${other.name}"`).join(", ")} (got "${name}")`,
    );
  const sources = mutate(mutation);
  plugin({
    name: "mutation",
    setup(build) {
      build.onLoad({ filter: /\/(apps|db|test\/sim\/partitions)\/.*\.ts$/ }, ({ path }) => ({
        contents: sources.get(path) ?? readFileSync(path, "utf8"),
        loader: "ts",
      }));
    },
  });
}

function mutate({ name, edits }: Mutation): Map<string, string> {
  const sources = new Map<string, string>();
  for (const { file, find, replace } of edits) {
    const path = join(import.meta.dirname, "..", "..", "apps", file);
    const source = sources.get(path) ?? readFileSync(path, "utf8");
    const times = source.split(find).length - 1;
    if (times !== 1)
      throw new Error(`mutation "${name}": ${file} must contain ${JSON.stringify(find)} once (found ${times} times)`);
    sources.set(
      path,
      source.replace(find, () => replace),
    );
  }
  return sources;
}
