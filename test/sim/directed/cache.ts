/** Stories of one front-end's cache and the catalog: one message takes a very unlucky way. */

import { Catalog } from "@stock-bazaar/catalog/catalog";
import { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { CatalogApi, TailRequest } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import { silentLogger } from "@stock-bazaar/process/log";
import { stockOf, tailRequestOf, tradeOf } from "../../support/builders.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { memoryLedger } from "../../support/order-cluster.ts";
import type { DirectedCase } from "./directed-case.ts";

const leaseMs = 500;
const name = "GameStart";
const otherName = "FishCo";

export const cacheCases: readonly DirectedCase[] = [
  {
    title: "a hello that comes once more, late, acknowledges nothing",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      scene.holdsNews = true;
      await scene.trade("key-1");
      scene.sayHelloAgain();
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a hello that comes once more when its session is over begins none",
    run: () => helloAfterTheEnd((scene) => scene.trade("key-1")),
  },
  {
    title: "nor does it when another front-end, which is alone by then, has told of a change",
    run: () =>
      helloAfterTheEnd(async (scene) => {
        scene.joinAnother();
        await scene.decide("key-1");
      }),
  },
  {
    title: "a lease whose answer comes late is over no later",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // The answer to the first renewal is on its way for long, and the next renewals don't arrive at all.
      scene.holdsAnswers = true;
      scene.holdsNews = true;
      await scene.clock.advance(0.25 * leaseMs);
      scene.holdsRequests = true;
      await scene.clock.advance(0.5 * leaseMs);
      scene.releaseAnswers();
      await scene.clock.advance(0.6 * leaseMs);
      await scene.trade("key-1");
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a change is acknowledged no sooner than the one before it",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // The news of one stock is on its way for long; that of another, later, arrives at once.
      scene.holdsNews = true;
      await scene.trade("key-1");
      scene.holdsNews = false;
      await scene.trade("key-2", otherName);
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a change is passed on no sooner than the one before it, whichever is written first",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      scene.holdWrites();
      const first = scene.trade("key-1");
      await scene.clock.flush();
      const release = scene.passWrites();
      const second = scene.trade("key-2", otherName);
      await scene.clock.flush();
      release();
      await Promise.all([first, second]);
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a front-end whose stream has ended is waited for until its lease is over",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // It doesn't know yet that the stream is gone.
      scene.holdsRequests = true;
      scene.holdsNews = true;
      scene.endFar();
      await scene.trade("key-1");
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "also by a clock that runs slower than the catalog's",
    async run() {
      const scene = await Scene.open({ frontEndRate: 0.95 });
      await scene.lookUp();
      scene.holdsRequests = true;
      scene.holdsNews = true;
      await scene.trade("key-1");
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "soon after the catalog's start nothing new is served: front-ends of before may still serve the old",
    async run() {
      const scene = await Scene.open({ young: true });
      await scene.lookUp();
      await scene.trade("key-1");
      return [...(await scene.earlyAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "what was looked up before a session began isn't kept in it",
    async run() {
      const scene = await Scene.open();
      scene.holdsLookups = true;
      const early = Promise.resolve(scene.frontEnd.lookup(name));
      await scene.clock.flush();
      // The session ends; the stock changes while this front-end has none, so it will never be told.
      scene.breakTail();
      await scene.clock.flush();
      await scene.trade("key-1");
      await scene.clock.advance(leaseMs);
      scene.releaseLookups();
      await early.catch(() => {});
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
];

/** No renewal reaches the catalog before its lease is over. When `change` is done, the hello of the beginning comes first. */
async function helloAfterTheEnd(change: (scene: Scene) => Promise<unknown>): Promise<string[]> {
  const scene = await Scene.open();
  await scene.lookUp();
  scene.holdsRequests = true;
  scene.holdsNews = true;
  await scene.clock.advance(1.17 * leaseMs);
  await change(scene);
  scene.sayHelloAgain();
  scene.releaseRequests();
  return [...(await scene.staleAnswers()), ...(await scene.close())];
}

function atRate(clock: Clock, rate: number): Clock {
  return {
    nowMs: () => clock.nowMs() * rate,
    wallMs: () => clock.wallMs() * rate,
    after: (delayMs, action) => clock.after(delayMs / rate, action),
    soon: (action) => clock.soon(action),
  };
}

/** A catalog and a front-end with a cache, and the way between them in the hands of a story. */
class Scene {
  readonly clock = new ManualClock();
  readonly catalog: Catalog;
  readonly frontEnd: LiveBazaar;
  holdsNews = false;
  holdsAnswers = false;
  holdsRequests = false;
  holdsLookups = false;
  #writes: { held: (() => void)[] | undefined } = { held: undefined };
  #endFar = () => {};
  #hello: (() => void) | undefined;
  #requests: (() => void)[] = [];
  #lookups: (() => void)[] = [];
  #news: (() => void)[] = [];
  #answers: (() => void)[] = [];
  #breakTail = () => {};
  #sessions = 0;
  #told = 0;
  /** Of all changes of the stock. */
  readonly #revs: number[] = [];

  private constructor(catalog: Catalog, clock: ManualClock, frontEndRate: number) {
    this.clock = clock;
    this.catalog = catalog;
    this.frontEnd = new LiveBazaar({
      catalog: this.#way(catalog),
      replicas: new Map(),
      config: {
        frontEnd: { host: "127.0.0.1", port: 8080 },
        frontEndDialect: "bazaar",
        cacheSize: 10,
        cacheTtlMs: 0,
        requestTimeoutMs: 60_000,
      },
      clock: atRate(clock, frontEndRate),
      random: () => 0,
      newId: () => `session-${++this.#sessions}`,
      logger: silentLogger,
    });
  }

  /**
   * The front-end has its first session, and nothing in its cache. `young`: the catalog has only just started.
   * `frontEndRate`: milliseconds of the front-end's clock in one of the catalog's.
   */
  static async open({ young = false, frontEndRate = 1 } = {}): Promise<Scene> {
    const clock = new ManualClock();
    const ledger = memoryLedger([stockOf(name, { quantity: 100 }), stockOf(otherName, { quantity: 100 })]);
    const writes: { held: (() => void)[] | undefined } = { held: undefined };
    const catalog = await Catalog.start({
      ledger: {
        ...ledger,
        async apply(batch) {
          const { held } = writes;
          const change = await ledger.apply(batch);
          if (held) await new Promise<void>((resolve) => held.push(resolve));
          return change;
        },
      },
      clock,
      logger: silentLogger,
      leaseMs,
    });
    await catalog.acquire({ replica: 1, term: 0, last: undefined });
    if (!young) await clock.advance(2 * leaseMs);
    const scene = new Scene(catalog, clock, frontEndRate);
    scene.#writes = writes;
    scene.frontEnd.start();
    await clock.flush();
    return scene;
  }

  async lookUp(): Promise<void> {
    const answer = this.frontEnd.lookup(name);
    await this.clock.flush();
    await answer;
  }

  async trade(key: string, stock = name): Promise<void> {
    const head = await this.decide(key, stock);
    void this.catalog.settle(head).then(
      () => (this.#told = Math.max(this.#told, head)),
      () => {},
    );
    await this.clock.flush();
  }

  /** The ledger has written what it is asked for from here on, but doesn't say so before `releaseWrites`. */
  holdWrites(): void {
    this.#writes.held = [];
  }

  /** From here on it says so at once. */
  passWrites(): () => void {
    const { held = [] } = this.#writes;
    this.#writes.held = undefined;
    return () => {
      for (const release of held.splice(0)) release();
    };
  }

  /** Returns the ledger's head. Nobody is told yet. */
  async decide(key: string, stock = name): Promise<number> {
    const applying = this.catalog.apply({ last: undefined, term: 1, trades: [tradeOf(key, { name: stock })] });
    await this.clock.flush();
    const { head, orders } = await applying;
    for (const order of orders) if (order.name === name) this.#revs.push(order.id);
    return head;
  }

  /** Another front-end: where the news says that it is alone, it tells of a change at once. */
  joinAnother(): void {
    const tail = this.catalog.tail({
      message: ({ sequence, head, alone }) => {
        if (sequence < 0 && alone) this.#told = head;
      },
      ended() {},
    });
    tail.send(tailRequestOf("another", "hello", { address: "another" }));
  }

  sayHelloAgain(): void {
    this.#hello?.();
  }

  breakTail(): void {
    this.#breakTail();
  }

  /** The catalog sees the stream end; the front-end doesn't, yet. */
  endFar(): void {
    this.#endFar();
  }

  releaseRequests(): void {
    this.holdsRequests = false;
    for (const release of this.#requests.splice(0)) release();
  }

  releaseAnswers(): void {
    this.holdsAnswers = false;
    for (const release of this.#answers.splice(0)) release();
  }

  releaseNews(): void {
    this.holdsNews = false;
    for (const release of this.#news.splice(0)) release();
  }

  releaseLookups(): void {
    this.holdsLookups = false;
    for (const release of this.#lookups.splice(0)) release();
  }

  /** Looks for a lease at what the front-end serves, and whether it knows less than what has been told; then news passes. */
  async staleAnswers(): Promise<string[]> {
    const wrong: string[] = [];
    for (let ms = 0; ms < 2 * leaseMs; ms += 10) {
      if (ms === 1.2 * leaseMs) this.releaseNews();
      // Whoever was told of a change knows of all before it.
      const told = Math.max(0, ...this.#revs.filter((rev) => rev <= this.#told));
      const cached = this.frontEnd.peekCached(name);
      if (cached && cached.rev < told) wrong.push(`I6: rev ${cached.rev} is served after rev ${told} has been told`);
      await this.clock.advance(10);
    }
    return wrong.slice(0, 1);
  }

  /** Looks for a lease whether the front-end serves what nobody may be told yet. */
  async earlyAnswers(): Promise<string[]> {
    for (let ms = 0; ms < leaseMs; ms += 10) {
      const cached = this.frontEnd.peekCached(name);
      if (cached && cached.rev > this.#told)
        return [`I6: rev ${cached.rev} is served while others may serve rev ${this.#told}`];
      await this.clock.advance(10);
    }
    await this.clock.advance(leaseMs);
    return [];
  }

  async close(): Promise<string[]> {
    const wrong = this.#told > 0 ? [] : ["I8: the trade was never settled"];
    this.releaseRequests();
    this.releaseNews();
    const stopping = this.frontEnd.stop();
    await this.clock.advance(leaseMs);
    await stopping;
    await this.catalog.stop();
    return wrong;
  }

  #way(catalog: Catalog): CatalogApi {
    return {
      apply: (request) => catalog.apply(request),
      restock: (request) => catalog.restock(request),
      settle: (upTo) => catalog.settle(upTo),
      stocks: (request, seen) => catalog.stocks(request, seen),
      ordersAfter: (afterId, limit) => catalog.ordersAfter(afterId, limit),
      register: (seen, last) => catalog.register(seen, last),
      acquire: (request) => catalog.acquire(request),
      lookup: async (names, seen) => {
        const stocks = await catalog.lookup(names, seen);
        if (this.holdsLookups) await new Promise<void>((resolve) => this.#lookups.push(resolve));
        return stocks;
      },
      tail: (handlers) => {
        let isOpen = true;
        const arrive = (deliver: () => void, isNews: boolean) => {
          const pass = () => {
            if (isOpen) deliver();
          };
          if (isNews && this.holdsNews) this.#news.push(pass);
          else if (!isNews && this.holdsAnswers) this.#answers.push(pass);
          else pass();
        };
        const far = catalog.tail({
          // The answers to what the front-end asks pass; what is news is on its way for long.
          message: (reply) => arrive(() => handlers.message(reply), reply.sequence < 0),
          ended: (error) => arrive(() => handlers.ended(error), true),
        });
        this.#endFar = () => far.close();
        this.#breakTail = () => {
          far.close();
          isOpen = false;
          handlers.ended();
        };
        const pass = (request: TailRequest) => {
          if (!this.holdsRequests) far.send(request);
          else this.#requests.push(() => far.send(request));
        };
        return {
          send: (request) => {
            if (request.kind === "hello") this.#hello = () => far.send(request);
            pass(request);
          },
          close: () => {
            isOpen = false;
            far.close();
          },
        };
      },
    };
  }
}
