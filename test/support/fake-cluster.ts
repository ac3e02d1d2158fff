/**
 * Fake order replicas without databases, for tests of a front-end. They can be killed, frozen and asked to lead, and they
 * respect the register's compare-and-set.
 */

import type {
  OrderApi,
  ReplicaStatus,
  RoleName,
  StreamHandlers,
  Traded,
  TradesRequest,
} from "@stock-bazaar/shared/api";
import { unpackTrades } from "@stock-bazaar/shared/batches";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Order, Outcome, Register, Trade } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { accepted, registerOf, statusOf, traded } from "./builders.ts";
import { Wire } from "./streams.ts";

/** A fake of the catalog's register. `isUp` decides whether the catalog answers. */
export class FakeRegister {
  current: Register = registerOf();
  isUp = true;
  reads = 0;

  async register(): Promise<Register> {
    this.reads += 1;
    if (!this.isUp) throw new BazaarError("UNAVAILABLE", "the catalog is away");
    return this.current;
  }

  acquire(replica: number, term: number): number {
    if (!this.isUp) throw new BazaarError("DEPENDENCY_UNAVAILABLE", "the catalog is away");
    if (term !== this.current.term) throw new BazaarError("STALE_TERM", `term ${term} has passed`);
    this.current = { ...this.current, term: term + 1, leader: replica };
    return term + 1;
  }
}

const statusMs = 50;

export class FakeReplica {
  readonly id: number;
  readonly wire: Wire;
  /** The interface that the front-end calls. */
  readonly api: OrderApi;
  role: RoleName = "follower";
  term = 0;
  /** The terms of the requests to lead. */
  readonly asked: number[] = [];
  readonly hints: { term: number; leader: number }[] = [];
  /** Every batch of trades that it received. */
  readonly batches: (readonly Trade[])[] = [];
  /** The mark of each batch. */
  readonly minted: boolean[] = [];
  /** For each batch, whether its caller settles the trades by itself. */
  readonly callersSettle: boolean[] = [];
  hasDiverged = false;
  lastId = 0;
  reachesCatalog = true;
  /** Answers trades; by default it executes each key once, as a ledger does. */
  answerTrades: (trades: readonly Trade[]) => Promise<Outcome[]>;
  orders: Order[] = [];
  readonly #clock: Clock;
  readonly #register: FakeRegister;
  readonly #ledger: ReadonlyMap<string, number>;
  readonly #watchers = new Set<StreamHandlers<ReplicaStatus>>();

  constructor(id: number, clock: Clock, register: FakeRegister, ledger: Map<string, number>) {
    this.id = id;
    this.#clock = clock;
    this.#register = register;
    this.#ledger = ledger;
    this.wire = new Wire(clock);
    this.answerTrades = async (trades) =>
      trades.map(({ key }) => {
        const known = ledger.get(key);
        if (known === undefined) ledger.set(key, ledger.size + 1);
        return accepted(ledger.get(key) ?? 0, known !== undefined);
      });
    this.api = {
      trade: (request, signal) =>
        abortable(
          signal,
          this.wire.call(() => this.#trade(request)),
        ),
      order: (orderId) => this.wire.call(async () => this.orders.find((order) => order.id === orderId)),
      orders: () => this.wire.call(async () => this.orders),
      lead: (afterTerm, signal) =>
        abortable(
          signal,
          this.wire.call(() => this.#lead(afterTerm)),
        ),
      setLeader: (hint) => this.wire.call(async () => void this.hints.push(hint)),
      follow: () => ({ send() {}, close() {} }),
      watch: (handlers) => this.wire.connect((far) => this.#watch(far), handlers),
    };
    this.#beatLater();
  }

  get status(): ReplicaStatus {
    const { role, term, lastId, reachesCatalog } = this;
    return statusOf(this.id, { role, term, lastId, reachesCatalog });
  }

  kill(): void {
    this.wire.cut();
  }

  /** Restarts it as a follower that has received no term yet. */
  restart(): void {
    this.role = "follower";
    this.term = 0;
    this.wire.mend();
  }

  /** Sends its status at once. */
  say(): void {
    for (const handlers of this.#watchers) handlers.message(this.status);
  }

  /** Makes it leader without a request from this front-end. */
  becomeLeader(): void {
    this.term = this.#register.acquire(this.id, this.#register.current.term);
    this.role = "leader";
    this.say();
  }

  #watch(handlers: StreamHandlers<ReplicaStatus>) {
    this.#watchers.add(handlers);
    handlers.message(this.status);
    return { send() {}, close: () => void this.#watchers.delete(handlers) };
  }

  async #trade({ callerSettles, ...call }: TradesRequest): Promise<Traded> {
    const trades = unpackTrades(call.trades);
    this.batches.push(trades);
    this.minted.push(call.minted);
    this.callersSettle.push(callerSettles);
    if (this.role !== "leader") throw new BazaarError("NOT_LEADER", `replica ${this.id} doesn't lead`);
    return traded(await this.answerTrades(trades), this.#ledger.size);
  }

  async #lead(afterTerm: number): Promise<{ term: number }> {
    this.asked.push(afterTerm);
    if (this.hasDiverged) throw new BazaarError("DIVERGED", `replica ${this.id} holds another order`);
    if (this.role === "leader" && this.term > afterTerm) return { term: this.term };
    if (!this.reachesCatalog) throw new BazaarError("DEPENDENCY_UNAVAILABLE", "the catalog doesn't answer");
    this.term = this.#register.acquire(this.id, afterTerm);
    this.role = "leader";
    this.say();
    return { term: this.term };
  }

  #beatLater(): void {
    this.#clock.after(statusMs, () => {
      this.say();
      this.#beatLater();
    });
  }
}

/** Resolves with the answer, or rejects with UNAVAILABLE as soon as the call is aborted. */
export function abortable<T>(signal: AbortSignal | undefined, answer: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new BazaarError("UNAVAILABLE", "given up"));
    if (signal?.aborted) giveUp();
    signal?.addEventListener("abort", giveUp);
    answer.then(resolve, reject);
  });
}
