/** Injects the faults of a run's plan. */

import type { Random } from "@stock-bazaar/shared/random";
import type { DatabaseFaults } from "./database-faults.ts";
import type { Disk } from "./disk.ts";
import type { Way, Weather } from "./network.ts";
import { type FaultKind, type Plan, spansMs } from "./plan.ts";
import type { Host } from "./process.ts";
import { type Fate, passingCodes } from "./shared-server.ts";
import type { World } from "./world.ts";

/** How long, and how often, the faults look for a catalog that has locked the register. */
const freezeWithinMs = 200;
const lookEveryMs = 0.1;
const fates: readonly Fate[] = [
  "unanswered",
  { lateMs: 50 },
  { lateMs: 500 },
  { lateMs: 3000 },
  ...passingCodes.map((code) => ({ code })),
];

export class Faults {
  readonly #world: World;
  readonly #random: Random;
  readonly #plan: Plan;
  readonly #databases: DatabaseFaults;
  /** Links that stay cut when the others heal. */
  readonly #lastingCuts: Way[] = [];
  #isOver = false;
  #count = 0;

  constructor(world: World, random: Random, plan: Plan, databases: DatabaseFaults) {
    this.#world = world;
    this.#random = random;
    this.#plan = plan;
    this.#databases = databases;
  }

  get lastingCuts(): readonly Way[] {
    return this.#lastingCuts;
  }

  get count(): number {
    return this.#count;
  }

  start(): void {
    this.#world.scheduler.after(this.#random.exponential(this.#plan.everyMs), () => {
      if (this.#isOver) return;
      this.strike(this.#random.pick(this.#plan.kinds));
      this.start();
    });
  }

  /** Injects no more faults and ends none: `World.heal` repairs what is still broken. */
  stop(): void {
    this.#isOver = true;
  }

  strike(kind: FaultKind): void {
    this.#count += 1;
    const world = this.#world;
    const random = this.#random;
    const { replicas, frontEnds, network, sharedLedger } = world;
    // The active catalog is hit more often than a standby.
    const catalog = sharedLedger ? random.pick([world.catalog, ...world.catalogs]) : world.catalog;
    const databases = this.#databases;
    switch (kind) {
      case "kill leader":
        return this.#kill(this.#leader());
      case "kill replica":
        return this.#kill(random.pick(replicas));
      case "kill catalog":
        return this.#kill(catalog);
      case "kill front-end":
        return this.#kill(random.pick(frontEnds));
      case "kill all":
        for (const host of world.hosts) this.#kill(host);
        return;
      case "stop replica":
        return this.#stop(random.pick(replicas));
      case "stop catalog":
        return this.#stop(catalog);
      case "stop front-end":
        return this.#stop(random.pick(frontEnds));
      case "stop all":
        for (const host of world.hosts) this.#stop(host);
        return;
      case "sleep replica":
        return this.#sleep(random.pick(replicas));
      case "sleep catalog":
        return this.#sleep(catalog);
      case "sleep front-end":
        return this.#sleep(random.pick(frontEnds));
      case "pause leader":
        return this.#pause(this.#leader());
      case "pause replica":
        return this.#pause(random.pick(replicas));
      case "pause catalog":
        return this.#pause(catalog);
      case "pause front-end":
        return this.#pause(random.pick(frontEnds));
      case "cut front-end from catalog":
        return this.#cut(random.pick(frontEnds), catalog);
      case "cut replica from catalog":
        return this.#cut(random.pick(replicas), catalog);
      case "cut leader from catalog":
        return this.#cut(this.#leader(), catalog);
      case "cut for good": {
        const [one, other] = random.pick([
          [this.#leader(), catalog],
          [random.pick(replicas), catalog],
          [random.pick(frontEnds), this.#leader()],
          [random.pick(frontEnds), random.pick(replicas)],
          [random.pick(frontEnds), catalog],
          [this.#leader(), random.pick(replicas)],
        ] as const);
        for (const way of this.#cutWays(one, other)) this.#lastingCuts.push(way);
        return;
      }
      case "cut replicas":
        return this.#cut(this.#leader(), random.pick(replicas));
      case "cut front-end from replica":
        return this.#cut(random.pick(frontEnds), random.pick(replicas));
      case "isolate": {
        const alone = random.pick(world.hosts);
        for (const host of world.hosts) if (host !== alone) this.#cut(alone, host);
        return;
      }
      case "bad weather": {
        network.setWeather(this.#badWeather());
        return this.#later("the weather is fine", () => network.setWeather());
      }
      case "bad way from front-end to catalog":
        return this.#spoil(random.pick(frontEnds), catalog);
      case "bad way from front-end to replica":
        return this.#spoil(random.pick(frontEnds), random.pick(replicas));
      case "bad way from replica to catalog":
        return this.#spoil(random.pick(replicas), catalog);
      case "bad way between replicas":
        return this.#spoil(this.#leader(), random.pick(replicas));
      case "failing way from front-end to catalog":
        return this.#failing(random.pick(frontEnds), catalog);
      case "freeze in transaction":
        return this.#freezeInTransaction();
      case "stick in transaction":
        return this.#freezeInTransaction({ sticks: true });
      case "cut catalog from database":
        if (sharedLedger) this.#cut(catalog, sharedLedger.host);
        return;
      case "bad way from catalog to database":
        if (sharedLedger) this.#spoil(catalog, sharedLedger.host);
        return;
      case "isolate catalog":
        for (const host of world.hosts) this.#cut(catalog, host);
        if (sharedLedger) this.#cut(catalog, sharedLedger.host);
        return;
      case "sessions end":
        return sharedLedger?.server.endSessions();
      case "connections go silent":
        return sharedLedger?.server.silence();
      case "statements fail": {
        const { server } = sharedLedger ?? {};
        if (!server) return;
        const chance = random.pick([0.01, 0.1]);
        server.fate = () => (random.chance(chance) ? random.pick(fates) : undefined);
        return this.#later("statements succeed again", () => (server.fate = undefined));
      }
      case "slow database": {
        const { server } = sharedLedger ?? {};
        if (!server) return;
        server.slowMs = random.pick([2, 20, 100]);
        return this.#later("the database has its normal speed again", () => (server.slowMs = 0));
      }
      case "slow disk":
        return this.#slow(random.pick([this.#leader(), random.pick(replicas)]).disk);
      case "slow catalog":
        return this.#slow(world.catalogStore.disk);
      case "full disk": {
        const { disk } = random.pick(replicas);
        disk.fill();
        return this.#later("a replica's disk has room again", () => disk.makeRoom());
      }
      case "full catalog":
        world.catalogStore.disk.fill();
        return this.#later("the catalog's disk has room again", () => world.catalogStore.disk.makeRoom());
      case "wipe replica": {
        const replica = random.pick(replicas);
        if (this.#isDown(replica)) return;
        databases.beforeWipe();
        world.wipe(replica);
        return this.#later(undefined, () => world.start(replica));
      }
      case "sync fails":
        world.catalogStore.disk.failsNextSync = true;
        return this.#later(undefined, () => {
          world.cutPower(catalog);
          this.#later(undefined, () => world.start(catalog));
        });
      case "power cut":
        return this.#cutPower(random.pick([catalog, ...replicas]));
      case "power cut of all":
        for (const host of world.hosts) this.#cutPower(host);
        return;
      case "seed":
        return databases.seed();
      case "lose catalog":
        if (databases.loseCatalog()) this.#later(undefined, () => databases.rebuildCatalog());
        return;
      case "old catalog": {
        const copy = databases.copyCatalog();
        return this.#later(undefined, () => {
          if (copy === undefined || !databases.putCopyInPlace(copy)) return;
          this.#later(undefined, () => databases.putBack());
        });
      }
    }
  }

  /** The leader by the register, or any replica if there is none. */
  #leader() {
    const { catalogStore, replicas } = this.#world;
    const row = catalogStore.database.client.prepare<[], { leader: number }>("SELECT leader FROM register").get();
    return replicas.find(({ id }) => id === row?.leader) ?? this.#random.pick(replicas);
  }

  #kill(host: Parameters<World["start"]>[0]): void {
    if (this.#isDown(host)) return;
    this.#world.kill(host);
    this.#later(undefined, () => this.#world.start(host));
  }

  #cutPower(host: Parameters<World["start"]>[0]): void {
    this.#world.cutPower(host);
    this.#later(undefined, () => this.#world.start(host));
  }

  #stop(host: Parameters<World["start"]>[0]): void {
    if (this.#isDown(host)) return;
    this.#world.stop(host);
    this.#later(undefined, () => this.#world.start(host));
  }

  #sleep({ name, life }: Host<unknown>): void {
    if (!life || life.isPaused) return;
    this.#world.trace(`the machine of ${name} sleeps`);
    life.sleep();
    this.#later(`the machine of ${name} wakes`, () => life.resume());
  }

  #pause({ name, life }: Host<unknown>): void {
    if (!life || life.isPaused) return;
    this.#world.trace(`${name} freezes`);
    life.pause();
    this.#later(`${name} resumes`, () => life.resume());
  }

  /** Freezes the next catalog that has locked the register, within a while; and its session on the server too, if it sticks. */
  #freezeInTransaction({ sticks = false } = {}): void {
    const { scheduler, sharedLedger, catalogs } = this.#world;
    const endMs = scheduler.nowMs + freezeWithinMs;
    const look = () => {
      const holder = catalogs.find(({ name }) => name === sharedLedger?.server.lockHolder);
      if (holder) {
        if (sticks) this.#later("a session no longer waits for its client", sharedLedger?.server.stick() ?? (() => {}));
        return this.#pause(holder);
      }
      if (!this.#isOver && scheduler.nowMs < endMs) scheduler.after(lookEveryMs, look);
    };
    look();
  }

  #cut(one: Host<unknown>, other: Host<unknown>): void {
    const { network } = this.#world;
    const ways = this.#cutWays(one, other);
    this.#later(`${one.name} and ${other.name} reach each other`, () => {
      for (const [from, to] of ways) network.heal(from, to);
    });
  }

  #cutWays(one: Host<unknown>, other: Host<unknown>): readonly Way[] {
    const ways = this.#ways(one, other);
    for (const [from, to] of ways) {
      this.#world.trace(`${from} no longer reaches ${to}`);
      this.#world.network.cut(from, to);
    }
    return ways;
  }

  #spoil(one: Host<unknown>, other: Host<unknown>): void {
    const { network } = this.#world;
    for (const [from, to] of this.#ways(one, other)) {
      const weather = this.#badWeather();
      this.#world.trace(`from ${from} to ${to}: ${JSON.stringify(weather)}`);
      network.setWeather(weather, from, to);
      this.#later(`from ${from} to ${to} the weather is fine`, () => network.setWeather({}, from, to));
    }
  }

  /** First the answers arrive late, then the requests don't arrive at all. */
  #failing({ name: one }: Host<unknown>, { name: other }: Host<unknown>): void {
    const { network, scheduler } = this.#world;
    this.#world.trace(`${other} answers ${one} late`);
    network.setWeather({ slowChance: 1, slowMs: this.#random.pick([50, 300]) }, other, one);
    scheduler.after(this.#random.between(0, 300), () => {
      if (this.#isOver) return;
      this.#world.trace(`${one} no longer reaches ${other}`);
      network.cut(one, other);
      this.#later(`${one} and ${other} reach each other`, () => {
        network.heal(one, other);
        network.setWeather({}, other, one);
      });
    });
  }

  #slow(disk: Disk): void {
    disk.slowMs = this.#random.pick([5, 50, 200]);
    this.#world.trace(`a disk takes ${disk.slowMs} ms longer`);
    this.#later("a disk has its normal speed again", () => (disk.slowMs = 0));
  }

  #badWeather(): Partial<Weather> {
    const random = this.#random;
    return {
      ...(random.chance(0.3) && { dropChance: random.pick([0.01, 0.05, 0.3]) }),
      ...(random.chance(0.5) && { duplicateChance: random.pick([0.05, 0.3, 1]) }),
      ...(random.chance(0.5) && { slowChance: random.pick([0.1, 1]), slowMs: random.pick([5, 50, 300]) }),
    };
  }

  /** Picks one direction of the link, the other, or both. */
  #ways({ name: one }: Host<unknown>, { name: other }: Host<unknown>): readonly Way[] {
    if (one === other) return [];
    return this.#random.pick([
      [[one, other]],
      [[other, one]],
      [
        [one, other],
        [other, one],
      ],
    ] as const);
  }

  #isDown(host: Host<unknown>): boolean {
    return !host.isUp;
  }

  #later(what: string | undefined, action: () => void): void {
    const [minMs, maxMs] = this.#plan.spanMs ?? this.#random.pick(spansMs);
    this.#world.scheduler.after(this.#random.between(minMs, maxMs), () => {
      if (this.#isOver) return;
      if (what) this.#world.trace(what);
      action();
    });
  }
}
