/** Faults of whole databases, and the repairs that a person would make. */

import type { CopiesWatch, LedgerWatch } from "./checker.ts";
import { readOrders } from "./checker.ts";
import type { World } from "./world.ts";

export interface DatabaseFaultsOptions {
  readonly world: World;
  readonly ledgerWatch: LedgerWatch;
  readonly copiesWatch: CopiesWatch;
  /** The highest order id that a leader has acknowledged. */
  readonly acknowledgedId: () => number;
  /** Receives violations. */
  readonly found: (violations: readonly string[]) => void;
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

  /** The times during which an old copy was in the ledger's place. */
  get copies(): readonly { readonly fromMs: number; readonly toMs: number }[] {
    return this.#copies;
  }

  /** When the late stock was seeded; infinity if it wasn't. */
  get seededMs(): number {
    return this.#seededMs;
  }

  beforeWipe(): void {
    this.#options.copiesWatch.look();
  }

  seed(): void {
    const { world } = this.#options;
    if (this.#seededMs < Number.POSITIVE_INFINITY || this.#isAway) return;
    // A power cut would lose the seeded stock.
    if (world.catalogStore.disk.afterPowerCut !== undefined) return;
    world.trace(`${world.settings.lateStock.name} is seeded`);
    this.#seededMs = world.scheduler.nowMs;
    world.catalogStore.seed(world.settings.lateStock);
  }

  /** Deletes the catalog's database and stops the replicas, as the supervisor does. Returns whether it did. */
  loseCatalog(): boolean {
    const { world } = this.#options;
    if (this.#isAway) return false;
    this.#isLost = true;
    this.#options.copiesWatch.look();
    world.trace("the catalog loses its database");
    for (const host of [world.catalog, ...world.replicas]) world.kill(host);
    return true;
  }

  /**
   * Rebuilds the lost catalog unattended, if every replica is whole; otherwise a person puts the right file back. I9: the
   * longest replica then holds every acknowledged order.
   */
  rebuildCatalog(): void {
    const { world, ledgerWatch, acknowledgedId, found } = this.#options;
    if (!this.#isLost) return;
    this.#isLost = false;
    for (const host of [world.catalog, ...world.replicas]) world.kill(host);
    if (world.replicasNotWhole.length > 0) {
      const names = world.replicasNotWhole.map(({ name }) => name).join(", ");
      world.trace(`the catalog's file is put back, because orders may be missing in ${names}`);
      return world.startAll();
    }
    const longest = this.#longest();
    if (longest.lastId() < acknowledgedId()) {
      const text = `order ${acknowledgedId()} was acknowledged, but the catalog is rebuilt from ${longest.name}, which ends at ${longest.lastId()}`;
      found([`I9: ${text}`]);
    }
    world.trace(`the catalog is rebuilt from ${longest.name}, which ends at order ${longest.lastId()}`);
    world.catalogStore.rebuild(readOrders(longest.database));
    ledgerWatch.rebuilt(longest.lastId());
    world.startAll();
  }

  /** Returns a copy for a later `putCopyInPlace`; `undefined` if the right database isn't in place. */
  copyCatalog(): Buffer | undefined {
    return this.#isAway ? undefined : this.#options.world.catalogStore.image();
  }

  /**
   * Puts an old copy in the place of the catalog's database. Returns whether it did.
   * It does nothing unless every replica holds what the copy lacks: the loss can't be noticed without those orders.
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
      // The copy lacks nothing, so it isn't an old one.
      catalogStore.replace(right);
      ledgerWatch.replaced();
      world.start(world.catalog);
      return false;
    }
    world.trace(`an old copy of the catalog is put in place; it ends at order ${catalogStore.head} of ${head}`);
    this.#right = right;
    this.#copyFromMs = world.scheduler.nowMs;
    ledgerWatch.replacedByCopy();
    world.start(world.catalog);
    return true;
  }

  putBack(): void {
    const { world, ledgerWatch } = this.#options;
    if (this.#right === undefined) return;
    world.trace("the right file of the catalog is put back");
    world.kill(world.catalog);
    world.catalogStore.replace(this.#right);
    this.#right = undefined;
    const leaseMs = Math.max(...world.settings.leasesMs);
    this.#copies.push({ fromMs: this.#copyFromMs, toMs: world.scheduler.nowMs + 1.2 * leaseMs });
    ledgerWatch.replaced();
    world.start(world.catalog);
  }

  /** Makes the repairs that are still due. */
  heal(): void {
    this.rebuildCatalog();
    this.putBack();
  }

  /** Whether the catalog's database is lost or replaced by an old copy. */
  get #isAway(): boolean {
    return this.#isLost || this.#right !== undefined;
  }

  #longest() {
    return this.#options.world.replicas.reduce((one, other) => (other.lastId() > one.lastId() ? other : one));
  }
}
