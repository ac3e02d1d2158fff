/** What goes wrong with whole databases, and what a person does about it. */

import type { CopiesWatch, LedgerWatch } from "./checker.ts";
import { readOrders } from "./checker.ts";
import type { World } from "./world.ts";

export interface DatabaseFaultsOptions {
  readonly world: World;
  readonly ledgerWatch: LedgerWatch;
  readonly copiesWatch: CopiesWatch;
  /** The highest number that a leader has acknowledged. */
  readonly acknowledgedId: () => number;
}

export class DatabaseFaults {
  readonly #options: DatabaseFaultsOptions;
  /** The right file, while an old copy is in its place. */
  #right: Buffer | undefined;
  #isLost = false;
  #copyFromMs = 0;
  readonly #copies: { fromMs: number; toMs: number }[] = [];
  #seededMs = Number.POSITIVE_INFINITY;

  constructor(options: DatabaseFaultsOptions) {
    this.#options = options;
  }

  /** When an old copy was in the ledger's place. */
  get copies(): readonly { readonly fromMs: number; readonly toMs: number }[] {
    return this.#copies;
  }

  /** When the late stock was seeded. */
  get seededMs(): number {
    return this.#seededMs;
  }

  beforeWipe(): void {
    this.#options.copiesWatch.look();
  }

  seed(): void {
    const { world } = this.#options;
    if (this.#seededMs < Number.POSITIVE_INFINITY || this.#isAway) return;
    // A power cut would take it back.
    if (world.catalogStore.disk.afterPowerCut !== undefined) return;
    world.trace(`${world.settings.lateStock.name} is seeded`);
    this.#seededMs = world.scheduler.nowMs;
    world.catalogStore.seed(world.settings.lateStock);
  }

  /**
   * The catalog's database is gone, and the supervisor has stopped the replicas. Not where that would be a second loss: some
   * replica must hold what was acknowledged (I9).
   */
  loseCatalog(): boolean {
    const { world, acknowledgedId } = this.#options;
    if (this.#isAway || this.#longest().lastId() < acknowledgedId()) return false;
    this.#isLost = true;
    this.#options.copiesWatch.look();
    world.trace("the catalog loses its database");
    for (const host of [world.catalog, ...world.replicas]) world.kill(host);
    return true;
  }

  rebuildCatalog(): void {
    const { world, ledgerWatch } = this.#options;
    if (!this.#isLost) return;
    this.#isLost = false;
    for (const host of [world.catalog, ...world.replicas]) world.kill(host);
    const longest = this.#longest();
    world.trace(`the catalog is made again from ${longest.name}, which ends at order ${longest.lastId()}`);
    world.catalogStore.rebuild(readOrders(longest.database));
    ledgerWatch.rebuilt(longest.lastId());
    world.startAll();
  }

  /** For later. */
  copyCatalog(): Buffer | undefined {
    return this.#isAway ? undefined : this.#options.world.catalogStore.image();
  }

  /**
   * The copy takes the place of the catalog's database. Only where every replica holds what the copy has lost: nobody can
   * notice the loss who never had it.
   */
  putCopyInPlace(copy: Buffer): boolean {
    const { world, ledgerWatch } = this.#options;
    const { catalogStore } = world;
    if (this.#isAway || world.replicas.some(({ lastId }) => lastId() < catalogStore.head)) return false;
    const right = catalogStore.image();
    const { head } = catalogStore;
    world.kill(world.catalog);
    catalogStore.replace(copy);
    if (catalogStore.head === head) {
      // Nothing is missing: no old copy at all.
      catalogStore.replace(right);
      ledgerWatch.replaced();
      world.start(world.catalog);
      return false;
    }
    world.trace(`an old copy is in the catalog's place, which ends at order ${catalogStore.head} of ${head}`);
    this.#right = right;
    this.#copyFromMs = world.scheduler.nowMs;
    ledgerWatch.replacedByCopy();
    world.start(world.catalog);
    return true;
  }

  putBack(): void {
    const { world, ledgerWatch } = this.#options;
    if (this.#right === undefined) return;
    world.trace("the right file is in the catalog's place again");
    world.kill(world.catalog);
    world.catalogStore.replace(this.#right);
    this.#right = undefined;
    const leaseMs = Math.max(...world.settings.leasesMs);
    this.#copies.push({ fromMs: this.#copyFromMs, toMs: world.scheduler.nowMs + 1.2 * leaseMs });
    ledgerWatch.replaced();
    world.start(world.catalog);
  }

  /** A person mends what is left to mend. */
  heal(): void {
    this.rebuildCatalog();
    this.putBack();
  }

  /** Is the catalog's database not the right one now? */
  get #isAway(): boolean {
    return this.#isLost || this.#right !== undefined;
  }

  #longest() {
    return this.#options.world.replicas.reduce((one, other) => (other.lastId() > one.lastId() ? other : one));
  }
}
