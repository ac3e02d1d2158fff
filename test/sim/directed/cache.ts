/** Directed cases of one front-end's cache and the catalog, in which messages arrive at the worst moment. */

import { Catalog } from "@stock-bazaar/catalog/catalog";
import { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { CatalogApi, TailRequest } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import { silentLogger } from "@stock-bazaar/process/log";
import { callOf, stockOf, tailRequestOf, tradeOf } from "../../support/builders.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { memoryLedger } from "../../support/order-cluster.ts";
import type { DirectedCase } from "./directed-case.ts";

const leaseMs = 500;
const name = "GameStart";
const otherName = "FishCo";

export const cacheCases: readonly DirectedCase[] = [
  {
    title: "a hello that arrives a second time, late, acknowledges nothing",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      scene.holdsChanges = true;
      await scene.trade("key-1");
      scene.repeatHello();
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a hello that arrives a second time after its session is over begins no session",
    run: () => helloAfterTheEnd((scene) => scene.trade("key-1")),
  },
  {
    title:
      "a hello that arrives a second time after another front-end, alone by then, has answered a trade begins no session",
    run: () =>
      helloAfterTheEnd(async (scene) => {
        scene.joinAnother();
        await scene.decide("key-1");
      }),
  },
  {
    title: "a lease whose answer arrives late expires no later",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // The answer to the first renewal is delayed, and the next renewals don't arrive at all.
      scene.holdsAnswers = true;
      scene.holdsChanges = true;
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
    title: "a change is acknowledged no sooner than the change before it",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // The change of one stock is delayed; a later change of another stock arrives at once.
      scene.holdsChanges = true;
      await scene.trade("key-1");
      scene.holdsChanges = false;
      await scene.trade("key-2", otherName);
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a change is sent no sooner than the change before it, also if it is written first",
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
    title: "a change waits for a front-end whose stream has ended until its lease expires",
    async run() {
      const scene = await Scene.open();
      await scene.lookUp();
      // The front-end hasn't noticed yet that the stream has ended.
      scene.holdsRequests = true;
      scene.holdsChanges = true;
      scene.endAtCatalog();
      await scene.trade("key-1");
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a change waits until the lease expires by the front-end's clock, which runs slower than the catalog's",
    async run() {
      const scene = await Scene.open({ frontEndRate: 0.95 });
      await scene.lookUp();
      scene.holdsRequests = true;
      scene.holdsChanges = true;
      await scene.trade("key-1");
      return [...(await scene.staleAnswers()), ...(await scene.close())];
    },
  },
  {
    title:
      "soon after the catalog's start no change is served, because earlier sessions may still serve the older value",
    async run() {
      const scene = await Scene.open({ young: true });
      await scene.lookUp();
      await scene.trade("key-1");
      return [...(await scene.earlyAnswers()), ...(await scene.close())];
    },
  },
  {
    title: "a lookup from before a session began isn't kept in the cache of that session",
    async run() {
      const scene = await Scene.open();
      scene.holdsLookups = true;
      const early = Promise.resolve(scene.frontEnd.lookup(name));
      await scene.clock.flush();
      // The session ends. The stock changes while this front-end has no session, so it never receives the change.
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

/** Lets the lease expire without a renewal. After `change`, the first hello arrives again before all other requests. */
async function helloAfterTheEnd(change: (scene: Scene) => Promise<unknown>): Promise<string[]> {
  const scene = await Scene.open();
  await scene.lookUp();
  scene.holdsRequests = true;
  scene.holdsChanges = true;
  await scene.clock.advance(1.17 * leaseMs);
  await change(scene);
  scene.repeatHello();
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

/** A catalog and a front-end with a cache, and a link between them on which a case can hold back messages. */
class Scene {
  readonly clock = new ManualClock();
  readonly catalog: Catalog;
  readonly frontEnd: LiveBazaar;
  holdsChanges = false;
  holdsAnswers = false;
  holdsRequests = false;
  holdsLookups = false;
  #writes: { held: (() => void)[] | undefined } = { held: undefined };
  #endAtCatalog = () => {};
  #hello: (() => void) | undefined;
  #requests: (() => void)[] = [];
  #lookups: (() => void)[] = [];
  #changes: (() => void)[] = [];
  #answers: (() => void)[] = [];
  #breakTail = () => {};
  #sessions = 0;
  /** The newest ledger head up to which a trade may be answered. */
  #settledHead = 0;
  /** The revs of all changes of the stock. */
  readonly #revs: number[] = [];

  private constructor(catalog: Catalog, clock: ManualClock, frontEndRate: number) {
    this.clock = clock;
    this.catalog = catalog;
    this.frontEnd = new LiveBazaar({
      catalog: this.#link(catalog),
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
   * Opens a scene in which the front-end has its first session and an empty cache.
   * `young` means that the catalog has only just started. `frontEndRate` is the number of milliseconds on the front-end's
   * clock per millisecond on the catalog's.
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
      () => (this.#settledHead = Math.max(this.#settledHead, head)),
      () => {},
    );
    await this.clock.flush();
  }

  /** From here on, writes are done but not confirmed until the function that `passWrites` returns is called. */
  holdWrites(): void {
    this.#writes.held = [];
  }

  /** From here on, writes are confirmed at once. Returns a function that confirms the held ones. */
  passWrites(): () => void {
    const { held = [] } = this.#writes;
    this.#writes.held = undefined;
    return () => {
      for (const release of held.splice(0)) release();
    };
  }

  /** Applies a trade without waiting until it is settled. Returns the ledger's head. */
  async decide(key: string, stock = name): Promise<number> {
    const applying = this.catalog.apply({ last: undefined, term: 1, calls: [callOf(tradeOf(key, { name: stock }))] });
    await this.clock.flush();
    const { head, orders } = await applying;
    for (const order of orders.rows) if (order.name === name) this.#revs.push(order.id);
    return head;
  }

  /** Adds another front-end, which answers trades at once when a change's message says that it is alone. */
  joinAnother(): void {
    const tail = this.catalog.tail({
      message: ({ sequence, head, alone }) => {
        if (sequence < 0 && alone) this.#settledHead = head;
      },
      ended() {},
    });
    tail.send(tailRequestOf("another", "hello", { address: "another" }));
  }

  repeatHello(): void {
    this.#hello?.();
  }

  breakTail(): void {
    this.#breakTail();
  }

  /** Ends the stream at the catalog; the front-end doesn't notice yet. */
  endAtCatalog(): void {
    this.#endAtCatalog();
  }

  releaseRequests(): void {
    this.holdsRequests = false;
    for (const release of this.#requests.splice(0)) release();
  }

  releaseAnswers(): void {
    this.holdsAnswers = false;
    for (const release of this.#answers.splice(0)) release();
  }

  releaseChanges(): void {
    this.holdsChanges = false;
    for (const release of this.#changes.splice(0)) release();
  }

  releaseLookups(): void {
    this.holdsLookups = false;
    for (const release of this.#lookups.splice(0)) release();
  }

  /**
   * Checks for two leases that the front-end serves no older value than one that may be answered.
   * Held changes arrive after the first lease.
   */
  async staleAnswers(): Promise<string[]> {
    const wrong: string[] = [];
    for (let ms = 0; ms < 2 * leaseMs; ms += 10) {
      if (ms === 1.2 * leaseMs) this.releaseChanges();
      const settledRev = Math.max(0, ...this.#revs.filter((rev) => rev <= this.#settledHead));
      const cached = this.frontEnd.peekCached(name);
      if (cached && cached.rev < settledRev)
        wrong.push(`I6: rev ${cached.rev} is served after rev ${settledRev} was settled`);
      await this.clock.advance(10);
    }
    return wrong.slice(0, 1);
  }

  /** Checks for one lease that the front-end serves no change that isn't settled. */
  async earlyAnswers(): Promise<string[]> {
    for (let ms = 0; ms < leaseMs; ms += 10) {
      const cached = this.frontEnd.peekCached(name);
      if (cached && cached.rev > this.#settledHead)
        return [`I6: rev ${cached.rev} is served while other front-ends may serve rev ${this.#settledHead}`];
      await this.clock.advance(10);
    }
    await this.clock.advance(leaseMs);
    return [];
  }

  async close(): Promise<string[]> {
    const wrong = this.#settledHead > 0 ? [] : ["I8: the trade was never settled"];
    this.releaseRequests();
    this.releaseChanges();
    const stopping = this.frontEnd.stop();
    await this.clock.advance(leaseMs);
    await stopping;
    await this.catalog.stop();
    return wrong;
  }

  #link(catalog: Catalog): CatalogApi {
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
        const arrive = (deliver: () => void, isChange: boolean) => {
          const pass = () => {
            if (isOpen) deliver();
          };
          if (isChange && this.holdsChanges) this.#changes.push(pass);
          else if (!isChange && this.holdsAnswers) this.#answers.push(pass);
          else pass();
        };
        const far = catalog.tail({
          // Answers to the front-end's requests pass; changes, with a negative sequence, can be held.
          message: (reply) => arrive(() => handlers.message(reply), reply.sequence < 0),
          ended: (error) => arrive(() => handlers.ended(error), true),
        });
        this.#endAtCatalog = () => far.close();
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
