/**
 * A whole bazaar of real processes, on free ports and in a folder of its own. Every process can be started, stopped,
 * killed and frozen by name: `catalog`, `order-1` … `order-9`, `front-end-1` …. Whatever a test does, all of it is gone
 * afterwards, and a test that fails prints what the processes had to say.
 */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrateAll } from "@stock-bazaar/db/migrate";
import { openCatalogDatabase } from "@stock-bazaar/db/open";
import { seed } from "@stock-bazaar/db/seed";
import { readConfig } from "@stock-bazaar/shared/config";
import type { TestContext } from "vitest";
import { at, get } from "./client.ts";
import { freePorts } from "./ports.ts";
import { Service } from "./service.ts";
import { eventually } from "./wait.ts";

const printedLinesMax = 60;

export interface ClusterOptions {
  readonly replicas?: number;
  readonly frontEnds?: number;
  /** On top of ports, addresses and DATA_DIR. */
  readonly environment?: Readonly<Record<string, string>>;
}

export type TestHooks = Pick<TestContext, "onTestFailed" | "onTestFinished">;

export class Cluster {
  readonly dataDir: string;
  readonly replicaIds: readonly number[];
  /** Of every stock, before the first trade. */
  readonly initialQuantities: ReadonlyMap<string, number>;
  readonly environment: Readonly<Record<string, string>>;
  readonly #services = new Map<string, Service>();
  readonly #urls: readonly string[];

  private constructor(options: ClusterOptions, ports: readonly number[]) {
    const { replicas = 3, frontEnds = 1, environment = {} } = options;
    const [catalogPort, ...others] = ports;
    const frontEndPorts = others.splice(0, frontEnds);
    this.dataDir = mkdtempSync(join(tmpdir(), "stock-bazaar-"));
    this.replicaIds = Array.from({ length: replicas }, (_, index) => index + 1);
    this.#urls = frontEndPorts.map((port) => `http://127.0.0.1:${port}`);
    this.environment = {
      CATALOG_PORT: String(catalogPort),
      ORDER_REPLICAS: this.replicaIds.map((id) => `${id}=127.0.0.1:${others[id - 1]}`).join(),
      DATA_DIR: this.dataDir,
      ...environment,
    };
    this.#add("catalog", "catalog", {});
    for (const id of this.replicaIds) this.#add(`order-${id}`, "order", { ORDER_ID: String(id) });
    for (const [index, port] of frontEndPorts.entries())
      this.#add(`front-end-${index + 1}`, "front-end", { FRONTEND_PORT: String(port) });

    const config = readConfig(this.environment);
    migrateAll(config);
    const catalog = openCatalogDatabase(this.dataDir);
    seed(catalog);
    const stocks = catalog.client.prepare<[], { name: string; quantity: number }>("SELECT name, quantity FROM stocks");
    this.initialQuantities = new Map(stocks.all().map(({ name, quantity }) => [name, quantity]));
    catalog.close();
  }

  /** Databases are there, nothing runs yet. For the tests of one file together: `dispose` it in `afterAll`. */
  static async shared(options: ClusterOptions = {}): Promise<Cluster> {
    const { replicas = 3, frontEnds = 1 } = options;
    return new Cluster(options, await freePorts(1 + replicas + frontEnds));
  }

  /** Databases are there, nothing runs yet. `context` prints the logs of a test that fails, and cleans up. */
  static async create(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.shared(options);
    context.onTestFailed(() => cluster.printLogs());
    context.onTestFinished(() => cluster.dispose());
    return cluster;
  }

  /** Everything runs and is ready, with every replica caught up and live. */
  static async start(context: TestHooks, options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.create(context, options);
    await cluster.startInOrder();
    return cluster;
  }

  get names(): string[] {
    return [...this.#services.keys()];
  }

  get urls(): readonly string[] {
    return this.#urls;
  }

  get url(): string {
    return this.frontEndUrl(1);
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
  async startInOrder(): Promise<void> {
    const backEnds = ["catalog", ...this.replicaIds.map((id) => `order-${id}`)].map((name) => this.service(name));
    for (const service of backEnds) service.start();
    await eventually("the back ends listen", () =>
      backEnds.every(({ lines }) => lines.some((line) => line.includes("listening"))),
    );
    this.startAll();
    await this.settled();
  }

  /** Starts what doesn't run. Nothing is ready yet. */
  startAll(): void {
    for (const service of this.#services.values()) if (!service.isRunning) service.start();
  }

  /** Ready, and every replica that runs is a live follower of the leader, as every front-end that runs sees it. */
  async settled(): Promise<void> {
    const running = this.replicaIds.filter((id) => this.order(id).isRunning);
    for (const [index, url] of this.#urls.entries()) {
      if (!this.service(`front-end-${index + 1}`).isRunning) continue;
      await this.ready(index + 1);
      await eventually(`replicas ${running.join(", ")} live in the eyes of front-end ${index + 1}`, async () => {
        const { body } = await get(`${url}/cluster`);
        const leader = at(body, "data", "leader");
        const replicas = at(body, "data", "replicas");
        if (!Array.isArray(replicas)) return false;
        const states: unknown[] = replicas;
        const leading = states.find((state) => at(state, "id") === leader);
        const followers = at(leading, "live_followers");
        return Array.isArray(followers) && followers.length === running.length - 1;
      });
    }
  }

  async ready(frontEnd = 1): Promise<void> {
    await eventually(`front-end ${frontEnd} ready`, async () => {
      const { status } = await get(`${this.frontEndUrl(frontEnd)}/readyz`);
      return status === 200;
    });
  }

  /** Whom a front-end takes for the leader, `undefined` for nobody. */
  async leader(frontEnd = 1): Promise<number | undefined> {
    const { body } = await get(`${this.frontEndUrl(frontEnd)}/cluster`);
    const leader = at(body, "data", "leader");
    return typeof leader === "number" ? leader : undefined;
  }

  async leaderIs(id: number, frontEnd = 1): Promise<void> {
    await eventually(`replica ${id} leads`, async () => (await this.leader(frontEnd)) === id);
  }

  printLogs(): void {
    for (const { name, lines } of this.#services.values()) {
      if (lines.length === 0) continue;
      process.stderr.write(`--- ${name}, last of ${lines.length} lines\n${lines.slice(-printedLinesMax).join("\n")}\n`);
    }
  }

  async dispose(): Promise<void> {
    const running = [...this.#services.values()].filter(({ isRunning }) => isRunning);
    await Promise.all(running.map((service) => service.kill()));
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #add(name: string, workspace: string, environment: Readonly<Record<string, string>>): void {
    this.#services.set(
      name,
      new Service(name, `apps/${workspace}/main.ts`, { environment: { ...this.environment, ...environment } }),
    );
  }
}
