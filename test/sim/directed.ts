/**
 * Cases so rare that chance finds them once in thousands of seeds: each a short story in which one message takes a
 * very unlucky way. They run as they are, and with a rule taken away, like the seeds.
 */

import { Catalog } from "@stock-bazaar/catalog/catalog";
import { LiveBazaar } from "@stock-bazaar/front-end/live-bazaar";
import type { CatalogApi, TailRequest } from "@stock-bazaar/shared/api";
import { silentLogger } from "@stock-bazaar/shared/log";
import { stockOf, tradeOf } from "../support/builders.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { memoryLedger } from "../support/order-cluster.ts";

const leaseMs = 500;
const name = "GameStart";
const otherName = "FishCo";

export interface DirectedCase {
  readonly title: string;
  /** What is wrong; nothing if the promise holds. */
  run(): Promise<string[]>;
}

export const directedCases: readonly DirectedCase[] = [
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

/** A catalog and a front-end with a cache, and the way between them in the hands of a story. */
class Scene {
  readonly clock = new ManualClock();
  readonly catalog: Catalog;
  readonly frontEnd: LiveBazaar;
  holdsNews = false;
  holdsAnswers = false;
  holdsRequests = false;
  holdsLookups = false;
  #hello: (() => void) | undefined;
  #requests: (() => void)[] = [];
  #lookups: (() => void)[] = [];
  #news: (() => void)[] = [];
  #answers: (() => void)[] = [];
  #breakTail = () => {};
  #sessions = 0;
  #told = 0;

  private constructor(catalog: Catalog, clock: ManualClock) {
    this.clock = clock;
    this.catalog = catalog;
    this.frontEnd = new LiveBazaar({
      catalog: this.#way(catalog),
      replicas: new Map(),
      config: { frontEnd: { host: "127.0.0.1", port: 8080 }, cacheSize: 10, cacheTtlMs: 0, requestTimeoutMs: 60_000 },
      clock,
      random: () => 0,
      newId: () => `session-${++this.#sessions}`,
      logger: silentLogger,
    });
  }

  /** The front-end has its first session, and nothing in its cache. `young`: the catalog has only just started. */
  static async open({ young = false } = {}): Promise<Scene> {
    const clock = new ManualClock();
    const catalog = await Catalog.start({
      ledger: memoryLedger([stockOf(name, { quantity: 100 }), stockOf(otherName, { quantity: 100 })]),
      clock,
      logger: silentLogger,
      leaseMs,
    });
    await catalog.acquire({ replica: 1, term: 0, lastId: 0, lastKey: "" });
    if (!young) await clock.advance(2 * leaseMs);
    const scene = new Scene(catalog, clock);
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
      () => (this.#told = head),
      () => {},
    );
    await this.clock.flush();
  }

  /** Returns the ledger's head. Nobody is told yet. */
  async decide(key: string, stock = name): Promise<number> {
    const applying = this.catalog.apply({ term: 1, trades: [tradeOf(key, { name: stock })] });
    await this.clock.flush();
    return (await applying).head;
  }

  /** Another front-end: where the news says that it is alone, it tells of a change at once. */
  joinAnother(): void {
    const tail = this.catalog.tail({
      message: ({ sequence, head, alone }) => {
        if (sequence < 0 && alone) this.#told = head;
      },
      ended() {},
    });
    tail.send({ session: "another", kind: "hello", acked: 0, sequence: 0, replaces: "", address: "another" });
  }

  sayHelloAgain(): void {
    this.#hello?.();
  }

  breakTail(): void {
    this.#breakTail();
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
      if (ms === leaseMs) this.releaseNews();
      const told = this.#told;
      const cached = this.frontEnd.lookupCached(name);
      if (cached && cached.rev < told) wrong.push(`I6: rev ${cached.rev} is served after rev ${told} has been told`);
      await this.clock.advance(10);
    }
    return wrong.slice(0, 1);
  }

  /** Looks for a lease whether the front-end serves what nobody may be told yet. */
  async earlyAnswers(): Promise<string[]> {
    for (let ms = 0; ms < leaseMs; ms += 10) {
      const cached = this.frontEnd.lookupCached(name);
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
      stocks: () => catalog.stocks(),
      ordersAfter: (afterId, limit) => catalog.ordersAfter(afterId, limit),
      register: () => catalog.register(),
      acquire: (request) => catalog.acquire(request),
      lookup: async (names) => {
        const stocks = await catalog.lookup(names);
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
