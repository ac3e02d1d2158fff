/**
 * A whole bazaar of real processes, on free ports and in a folder of its own. Every process can be started, stopped,
 * killed and frozen by name: `catalog`, `order-1` … `order-9`, `front-end-1` …. Whatever is done to it, all of it is
 * gone after `dispose`.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateFile } from "@stock-bazaar/db/migrations";
import { catalogFile, openCatalogDatabase, orderFile } from "@stock-bazaar/db/open";
import { seed } from "@stock-bazaar/db/seed";
import { at } from "@stock-bazaar/shared/json";
import { runtimeSettings } from "@stock-bazaar/shared/runtime-settings";
import { freePorts } from "./ports.ts";
import { Service } from "./service.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
import { eventually, type WaitOptions } from "./wait.ts";

export interface ClusterOptions {
  readonly replicas?: number;
  readonly frontEnds?: number;
  /** On top of ports, addresses and DATA_DIR. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The service whose database gets a small disk of its own, where the machine allows that. */
  readonly smallDisk?: string | undefined;
}

/** Where the databases are: what a check needs to know of a cluster. */
export interface DatabaseFolders {
  readonly catalogFolder: string;
  readonly replicaFolders: ReadonlyMap<number, string>;
}

export class Cluster implements DatabaseFolders {
  readonly dataDir: string;
  readonly replicaIds: readonly number[];
  /** Of every stock, before the first trade. */
  readonly initialQuantities: ReadonlyMap<string, number>;
  readonly environment: Readonly<Record<string, string>>;
  /** That of the service that was to have one; `undefined` also where nothing can be mounted. */
  readonly smallDisk: SmallDisk | undefined;
  readonly #services = new Map<string, Service>();
  readonly #urls: readonly string[];
  readonly #smallDiskOf: string | undefined;

  private constructor(options: ClusterOptions, ports: readonly number[]) {
    const { replicas = 3, frontEnds = 1, environment = {} } = options;
    const [catalogPort, ...others] = ports;
    const frontEndPorts = others.splice(0, frontEnds);
    this.dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    this.replicaIds = Array.from({ length: replicas }, (_, index) => index + 1);
    this.#urls = frontEndPorts.map((port) => `http://127.0.0.1:${port}`);
    this.#smallDiskOf = options.smallDisk;
    if (options.smallDisk !== undefined) {
      mkdirSync(this.folderOf(options.smallDisk));
      this.smallDisk = mountSmallDisk(this.folderOf(options.smallDisk));
    }
    this.environment = {
      ...runtimeSettings,
      CATALOG_PORT: String(catalogPort),
      ORDER_REPLICAS: this.replicaIds.map((id) => `${id}=127.0.0.1:${others[id - 1]}`).join(),
      DATA_DIR: this.dataDir,
      ...environment,
    };
    this.#add("catalog", "catalog", {});
    for (const id of this.replicaIds) this.#add(`order-${id}`, "order", { ORDER_ID: String(id) });
    for (const [index, port] of frontEndPorts.entries())
      this.#add(`front-end-${index + 1}`, "front-end", { FRONTEND_PORT: String(port) });
    try {
      this.initialQuantities = this.#createDatabases();
    } catch (error) {
      this.#removeFiles();
      throw error;
    }
  }

  /** Databases are there, nothing runs yet. */
  static async create(options: ClusterOptions = {}): Promise<Cluster> {
    const { replicas = 3, frontEnds = 1 } = options;
    return new Cluster(options, await freePorts(1 + replicas + frontEnds));
  }

  get names(): string[] {
    return [...this.#services.keys()];
  }

  get services(): readonly Service[] {
    return [...this.#services.values()];
  }

  /** False until something of it was started. */
  get hasStarted(): boolean {
    return this.services.some(({ isRunning, exit }) => isRunning || exit !== undefined);
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  get url(): string {
    return this.frontEndUrl(1);
  }

  get catalogFolder(): string {
    return this.folderOf("catalog");
  }

  get replicaFolders(): ReadonlyMap<number, string> {
    return new Map(this.replicaIds.map((id) => [id, this.folderOf(`order-${id}`)]));
  }

  /** The DATA_DIR of a service. */
  folderOf(name: string): string {
    return name === this.#smallDiskOf ? join(this.dataDir, name) : this.dataDir;
  }

  frontEndUrl(frontEnd: number): string {
    const url = this.#urls[frontEnd - 1];
    if (url === undefined) throw new Error(`there is no front-end ${frontEnd}`);
    return url;
  }

  service(name: string): Service {
    const service = this.#services.get(name);
    if (!service) throw new Error(`there is no ${name}, only ${this.names.join(", ")}`);
    return service;
  }

  order(id: number): Service {
    return this.service(`order-${id}`);
  }

  /**
   * Front-ends last, so that they find every replica and the highest id leads: on a slow machine the replicas may take
   * longer to start than a front-end waits for all of them.
   */
  async startInOrder(wait: WaitOptions = {}): Promise<void> {
    const backEnds = ["catalog", ...this.replicaIds.map((id) => `order-${id}`)].map((name) => this.service(name));
    for (const service of backEnds) service.start();
    const isListening = ({ lines }: Service) => lines.some((line) => line.includes("listening"));
    const ended = () => backEnds.find(({ exit }) => exit !== undefined);
    const haveBegun = () => backEnds.every(isListening) || ended() !== undefined;
    await eventually("the back ends listen", haveBegun, wait).catch((error: unknown) => {
      wait.signal?.throwIfAborted();
      const missing = backEnds.filter((service) => !isListening(service)).map(({ name }) => name);
      throw new Error(`${missing.join(", ")} did not begin to listen`, { cause: error });
    });
    const refused = ended();
    if (refused) throw new Error(`${refused.name} ended at its start: ${refused.lines.at(-1)}`);
    this.startAll();
    await this.settled(wait);
  }

  /** Starts what doesn't run. Nothing is ready yet. */
  startAll(): void {
    for (const service of this.services) if (!service.isRunning) service.start();
  }

  /** Ready, and every replica that runs is a live follower of the leader, as every front-end that runs sees it. */
  async settled(wait: WaitOptions = {}): Promise<void> {
    const running = this.replicaIds.filter((id) => this.order(id).isRunning);
    for (const [index, url] of this.#urls.entries()) {
      if (!this.service(`front-end-${index + 1}`).isRunning) continue;
      await this.ready(index + 1, wait);
      const isSettled = async () => {
        const body = await clusterAsSeenAt(url);
        const leader = at(body, "data", "leader");
        const replicas = at(body, "data", "replicas");
        if (!Array.isArray(replicas)) return false;
        const states: unknown[] = replicas;
        const leading = states.find((state) => at(state, "id") === leader);
        const followers = at(leading, "live_followers");
        return Array.isArray(followers) && followers.length === running.length - 1;
      };
      await eventually(`replicas ${running.join(", ")} live in the eyes of front-end ${index + 1}`, isSettled, wait);
    }
  }

  async ready(frontEnd = 1, wait: WaitOptions = {}): Promise<void> {
    const isReady = async () => {
      const response = await fetch(`${this.frontEndUrl(frontEnd)}/readyz`);
      await response.body?.cancel();
      return response.status === 200;
    };
    await eventually(`front-end ${frontEnd} ready`, isReady, wait);
  }

  /** Whom a front-end takes for the leader, `undefined` for nobody. */
  async leader(frontEnd = 1): Promise<number | undefined> {
    const leader = at(await clusterAsSeenAt(this.frontEndUrl(frontEnd)), "data", "leader");
    return typeof leader === "number" ? leader : undefined;
  }

  async leaderIs(id: number, frontEnd = 1): Promise<void> {
    await eventually(`replica ${id} leads`, async () => (await this.leader(frontEnd)) === id);
  }

  /** Kills what runs, as it is: the databases stay as they were at that moment. */
  async killAll(): Promise<void> {
    await Promise.all(this.services.filter(({ isRunning }) => isRunning).map((service) => service.kill()));
  }

  async dispose(): Promise<void> {
    await this.killAll();
    this.#removeFiles();
  }

  #removeFiles(): void {
    this.smallDisk?.unmount();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #add(name: string, workspace: string, environment: Readonly<Record<string, string>>): void {
    const own = { ...this.environment, DATA_DIR: this.folderOf(name), ...environment };
    this.#services.set(name, new Service(name, `apps/${workspace}/main.ts`, { environment: own }));
  }

  #createDatabases(): ReadonlyMap<string, number> {
    migrateFile(catalogFile(this.catalogFolder), "catalog");
    for (const [id, folder] of this.replicaFolders) migrateFile(orderFile(folder, id), "orders");
    const catalog = openCatalogDatabase(this.catalogFolder);
    try {
      seed(catalog);
      const stocks = catalog.client.prepare<[], { name: string; quantity: number }>(
        "SELECT name, quantity FROM stocks",
      );
      return new Map(stocks.all().map(({ name, quantity }) => [name, quantity]));
    } finally {
      catalog.close();
    }
  }
}

/** The reply of a front-end's `/cluster`. */
async function clusterAsSeenAt(url: string): Promise<unknown> {
  return (await fetch(`${url}/cluster`)).json();
}
