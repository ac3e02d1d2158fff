/**
 * A whole bazaar of real processes, on free ports and in its own folder. Every process can be started, stopped, killed
 * and frozen by name: `catalog`, `order-1` … `order-9`, `front-end-1` … With relays, each link between two of them can
 * be cut. `dispose` removes all processes and files, whatever happened to them.
 */

import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { chosenLedgerStore, type LedgerConfig } from "@stock-bazaar/ledger/chosen-store";
import { ReplicaFile } from "@stock-bazaar/order-log/sqlite/replica-file";
import { seed } from "@stock-bazaar/db/seed";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { readLedgerUrl } from "@stock-bazaar/process/ledger-url";
import {
  addressVariables,
  catalogName,
  choosePorts,
  frontEndName,
  frontEndUrls,
  listeners,
  replicaName,
  type ServicePorts,
} from "./addresses.ts";
import { type Hosts, oneHost } from "./hosts.ts";
import type { Relay } from "./relay.ts";
import { type Link, Relays } from "./relays.ts";
import { Service } from "./service.ts";
import { mountSmallDisk, type SmallDisk } from "./small-disk.ts";
import { eventually, type WaitOptions } from "./wait.ts";

export interface ClusterOptions {
  readonly replicas?: number;
  readonly frontEnds?: number;
  /** Several need a LEDGER_URL. The first is called `catalog`, the others `catalog-2`, … Default: one. */
  readonly catalogs?: number;
  /** Variables in addition to ports, addresses and DATA_DIR. LEDGER_URL must name an empty database. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The service whose database gets its own small disk, if the machine allows that. */
  readonly smallDisk?: string | undefined;
  /** Whether these databases get their own folders, as on other machines: they can't be compared with other files. */
  readonly catalogApart?: boolean;
  readonly replicasApart?: boolean;
  /** Hosts where services listen, by service name; others still dial 127.0.0.1. Default: 127.0.0.1. */
  readonly listenHosts?: Readonly<Record<string, string>>;
  /** The machines of the services, which then listen on all addresses of theirs. Default: all run on this machine. */
  readonly hosts?: Hosts;
  /** Whether links pass through relays in this process, where each can be cut. Default: processes connect directly. */
  readonly relays?: boolean;
  /** The delay of the relays in each direction. Default: none. */
  readonly delayMs?: number;
}

/** Where the databases are: the part of a cluster that a check needs. */
export interface DatabaseFolders {
  /** Where the ledger is: in `catalogFolder`, or on a server. */
  readonly ledger: LedgerConfig;
  readonly catalogFolder: string;
  readonly replicaFolders: ReadonlyMap<number, string>;
}

export class Cluster implements DatabaseFolders {
  readonly dataDir: string;
  readonly ledger: LedgerConfig;
  readonly replicaIds: readonly number[];
  readonly environment: Readonly<Record<string, string>>;
  /** The small disk, if one was requested and could be mounted. */
  readonly smallDisk: SmallDisk | undefined;
  #initialQuantities: ReadonlyMap<string, number> = new Map();
  readonly #services = new Map<string, Service>();
  readonly #urls: readonly string[];
  /** The services whose databases have their own folder below `dataDir`. */
  readonly #apart: ReadonlySet<string>;
  readonly #relays: Relays | undefined;
  readonly #hosts: Hosts;

  private constructor(options: ClusterOptions, ports: ServicePorts, relays: Relays | undefined) {
    const { environment = {}, smallDisk, catalogApart, replicasApart, listenHosts = {}, hosts = oneHost } = options;
    this.#relays = relays;
    this.#hosts = hosts;
    this.dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    this.replicaIds = [...ports.replicas.keys()];
    this.#urls = frontEndUrls(ports, hosts, environment);
    const apart = replicasApart === true ? this.replicaIds.map(replicaName) : [];
    this.#apart = new Set([smallDisk ?? [], catalogApart === true ? "catalog" : [], apart].flat());
    for (const name of this.#apart) mkdirSync(this.folderOf(name));
    this.ledger = { dataDir: this.catalogFolder, ledgerUrl: readLedgerUrl(environment) };
    if (smallDisk !== undefined) this.smallDisk = mountSmallDisk(this.folderOf(smallDisk));
    this.environment = {
      ...addressVariables(
        this.replicaIds,
        (name) => listeners(ports).get(name) ?? 0,
        (name) => hosts.nameOf(name),
        ports.otherCatalogs.keys(),
      ),
      DATA_DIR: this.dataDir,
      ...environment,
    };
    const listening = (name: string, variable: string, port: number) => {
      const isOneOfSeveral = variable === "CATALOG_LISTEN" && ports.otherCatalogs.size > 0;
      const usual = hosts !== oneHost ? "0.0.0.0" : isOneOfSeveral ? oneHost.here : undefined;
      const host = listenHosts[name] ?? usual;
      return host === undefined ? {} : { [variable]: `${host}:${port}` };
    };
    for (const [number, port] of [[1, ports.catalog] as const, ...ports.otherCatalogs]) {
      const name = catalogName(number);
      this.#add(name, "catalog", listening(name, "CATALOG_LISTEN", port));
    }
    for (const [id, port] of ports.replicas) {
      const name = replicaName(id);
      this.#add(name, "order", { ORDER_ID: String(id), ...listening(name, "ORDER_LISTEN", port) });
    }
    for (const [number, port] of ports.frontEnds) {
      const name = frontEndName(number);
      const dialled = { FRONTEND_HOST: hosts.nameOf(name), FRONTEND_PORT: String(port) };
      this.#add(name, "front-end", { ...dialled, ...listening(name, "FRONTEND_LISTEN", port) });
    }
  }

  /** Creates the databases; starts no process. */
  static async create(options: ClusterOptions = {}): Promise<Cluster> {
    const { replicas = 3, frontEnds = 1, catalogs = 1, relays: hasRelays = false } = options;
    const ports = await choosePorts(replicas, frontEnds, catalogs);
    const relays = hasRelays
      ? await Relays.start(ports, { ...options, ledgerUrl: options.environment?.LEDGER_URL })
      : undefined;
    let cluster: Cluster | undefined;
    try {
      cluster = new Cluster(options, ports, relays);
      await cluster.#createDatabases();
      return cluster;
    } catch (error) {
      if (cluster) cluster.#removeFiles();
      await relays?.close();
      throw error;
    }
  }

  /** The quantity of every stock before the first trade. */
  get initialQuantities(): ReadonlyMap<string, number> {
    return this.#initialQuantities;
  }

  get names(): string[] {
    return [...this.#services.keys()];
  }

  get services(): readonly Service[] {
    return [...this.#services.values()];
  }

  /** `false` until the first process was started. */
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
    return new Map(this.replicaIds.map((id) => [id, this.folderOf(replicaName(id))]));
  }

  /** The DATA_DIR of a service. */
  folderOf(name: string): string {
    return this.#apart.has(name) ? join(this.dataDir, name) : this.dataDir;
  }

  frontEndUrl(frontEnd: number): string {
    const url = this.#urls[frontEnd - 1];
    if (url === undefined) throw new Error(`a front-end must be from 1 to ${this.#urls.length} (got ${frontEnd})`);
    return url;
  }

  service(name: string): Service {
    const service = this.#services.get(name);
    if (!service) throw new Error(`a service must be one of ${this.names.join(", ")} (got ${name})`);
    return service;
  }

  order(id: number): Service {
    return this.service(replicaName(id));
  }

  /** The relay of a link. Throws unless the cluster has relays. */
  relay(link: Link): Relay {
    if (!this.#relays) throw new Error("a cluster must be created with relays to cut links (this one was not)");
    return this.#relays.of(link);
  }

  /**
   * Starts everything, the front-ends last, so that they find every replica and the highest id leads. On a slow
   * machine, replicas may take longer to start than a front-end waits for them.
   */
  async startInOrder(wait: WaitOptions = {}): Promise<void> {
    const catalogs = this.names.filter((name) => name.startsWith("catalog"));
    const backEnds = [...catalogs, ...this.replicaIds.map(replicaName)].map((name) => this.service(name));
    for (const service of backEnds) service.start();
    const isListening = ({ lines }: Service) => lines.some((line) => line.includes("listening"));
    const ended = () => backEnds.find(({ exit }) => exit !== undefined);
    const haveBegun = () => backEnds.every(isListening) || ended() !== undefined;
    await eventually("the back ends listen", haveBegun, wait).catch((error: unknown) => {
      wait.signal?.throwIfAborted();
      const missing = backEnds.filter((service) => !isListening(service)).map(({ name }) => name);
      throw new Error(`${missing.join(", ")} must listen in time (still starting)`, { cause: error });
    });
    const refused = ended();
    if (refused)
      throw new Error(`${refused.name} must keep running after its start (it ended: ${refused.lines.at(-1)})`);
    this.startAll();
    await this.settled(wait);
  }

  /** Starts the processes that don't run. Returns before they are ready. */
  startAll(): void {
    for (const service of this.services) if (!service.isRunning) service.start();
  }

  /**
   * Resolves when every running front-end is ready and reports every running replica as live: the leader or a follower.
   */
  async settled(wait: WaitOptions = {}): Promise<void> {
    const running = this.replicaIds.filter((id) => this.order(id).isRunning);
    for (const [index, url] of this.#urls.entries()) {
      if (!this.service(frontEndName(index + 1)).isRunning) continue;
      await this.ready(index + 1, wait);
      const isSettled = async () => {
        const { leader, replicas } = await askCluster(url);
        return replicas.find(({ id }) => id === leader)?.live_followers?.length === running.length - 1;
      };
      await eventually(`front-end ${index + 1} reports replicas ${running.join(", ")} as live`, isSettled, wait);
    }
  }

  async ready(frontEnd = 1, wait: WaitOptions = {}): Promise<void> {
    const isReady = async () => {
      const response = await fetchDirectly(`${this.frontEndUrl(frontEnd)}/readyz`);
      await response.body?.cancel();
      return response.status === 200;
    };
    await eventually(`front-end ${frontEnd} ready`, isReady, wait);
  }

  /** The leader that a front-end reports; `undefined` if there is none. */
  async leader(frontEnd = 1): Promise<number | undefined> {
    return (await askCluster(this.frontEndUrl(frontEnd))).leader ?? undefined;
  }

  async leaderIs(id: number, frontEnd = 1): Promise<void> {
    await eventually(`replica ${id} leads`, async () => (await this.leader(frontEnd)) === id);
  }

  /** Kills all running processes with kill -9; the databases stay as they are at that moment. */
  async killAll(): Promise<void> {
    await Promise.all(this.services.filter(({ isRunning }) => isRunning).map((service) => service.kill()));
  }

  async dispose(): Promise<void> {
    await this.killAll();
    await this.#relays?.close();
    this.#removeFiles();
  }

  #removeFiles(): void {
    this.smallDisk?.unmount();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #add(name: string, workspace: string, environment: Readonly<Record<string, string>>): void {
    const own = {
      ...this.environment,
      ...this.#relays?.environmentOf(name),
      DATA_DIR: this.folderOf(name),
      ...environment,
    };
    this.#services.set(
      name,
      new Service(name, `apps/${workspace}/main.ts`, { environment: own, via: this.#hosts.viaOf(name) }),
    );
  }

  async #createDatabases(): Promise<void> {
    const store = chosenLedgerStore(this.ledger);
    await store.migrate();
    for (const [id, folder] of this.replicaFolders) await new ReplicaFile(folder, id).migrate();
    await seed(this.ledger);
    const began = await store.read((view) => view.initialStocks());
    this.#initialQuantities = new Map(began.map(({ name, quantity }) => [name, quantity]));
  }
}
