/**
 * The bazaar that is fuzzed: real processes, one front-end for each dialect, with all that reads a request turned on.
 * Between batches it is asked whether it still works, and at the end whether its databases are right.
 */

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { violations } from "@stock-bazaar/chaos/checks/invariants";
import { ledgerOf, untilEqual } from "@stock-bazaar/chaos/checks/snapshot";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { frontEndName, replicaName } from "@stock-bazaar/cluster/addresses";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import type { Service } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { dialectNames, lookupPath } from "@stock-bazaar/contract/dialects";
import { verify } from "@stock-bazaar/db/recovery/verify";
import { readConfig } from "@stock-bazaar/process/config";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { hashOfToken } from "@stock-bazaar/process/token-file";
import { chosenLedgerStore } from "@stock-bazaar/ledger/chosen-store";
import { packOrders } from "@stock-bazaar/shared/batches";
import type { Live } from "./grpc/live.ts";
import type { ToldTrades } from "./ledger.ts";

/** Everything is allowed without a token, so that requests get further; a known and an unknown token are read, too. */
const tokens = {
  anonymous: ["read", "trade", "admin"],
  tokens: [{ name: "fuzz", sha256: hashOfToken("fuzz-token").toString("hex"), scopes: ["read", "trade", "admin"] }],
};

/** A stock that most wild trades leave with some quantity. */
const soldStock = "NorthQuarry";

/** Lines that only report what a caller did. */
const expectedErrors = /version (?:\d+ )?of the messages/;

export class FuzzedBazaar {
  readonly #cluster: Cluster;
  readonly #pids: ReadonlyMap<string, number | undefined>;
  /** The last line of each service's log that was read. */
  readonly #lastLines = new Map<string, string>();
  #leader = 3;

  private constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#pids = new Map(cluster.services.map(({ name, pid }) => [name, pid]));
  }

  static async start(): Promise<FuzzedBazaar> {
    const cluster = await Cluster.create({
      frontEnds: dialectNames.length,
      environment: {
        CORS_ORIGINS: "https://pages.example",
        TRUSTED_PROXIES: "127.0.0.1",
        RATE_LIMIT_READS: "1000000",
        RATE_LIMIT_TRADES: "1000000",
      },
    });
    try {
      const file = join(cluster.dataDir, "tokens.json");
      writeFileSync(file, JSON.stringify(tokens));
      for (const name of ["catalog", ...cluster.replicaIds.map(replicaName)]) cluster.service(name).start();
      for (const [index, dialect] of dialectNames.entries())
        cluster
          .service(frontEndName(index + 1))
          .start({ environment: { FRONTEND_DIALECT: dialect, API_TOKENS_FILE: file } });
      await cluster.settled();
      return new FuzzedBazaar(cluster);
    } catch (error) {
      await cluster.dispose();
      throw error;
    }
  }

  get services(): readonly Service[] {
    return this.#cluster.services;
  }

  /** The port of a front-end, by its dialect, or of a service. */
  portOf(to: string): number {
    const frontEnd = dialectNames.findIndex((dialect) => dialect === to);
    if (frontEnd >= 0) return Number(new URL(this.#cluster.frontEndUrl(frontEnd + 1)).port);
    const { CATALOG_PORT, ORDER_REPLICAS = "" } = this.#cluster.environment;
    if (to === "catalog") return Number(CATALOG_PORT);
    const id = to === "leader" ? this.#leader : Number(to.slice("order-".length));
    return Number(new RegExp(`(?:^|,)${id}=[^,]*:(\\d+)`).exec(ORDER_REPLICAS)?.[1]);
  }

  /** Returns a sentence for each service that has ended, or that runs in another process than at the start. */
  ended(): string[] {
    return this.services
      .filter(({ name, pid }) => pid !== this.#pids.get(name))
      .map(
        ({ name, exit, lines }) => `${name} must not end (got ${JSON.stringify(exit)}): ${lines.slice(-3).join(" | ")}`,
      );
  }

  /** Returns the errors that the services have logged since the last call. */
  loggedErrors(): string[] {
    return this.services.flatMap(({ name, lines }) => {
      const read = lines.lastIndexOf(this.#lastLines.get(name) ?? "");
      this.#lastLines.set(name, lines.at(-1) ?? "");
      return lines
        .slice(read + 1)
        .filter((line) => isError(line) && !expectedErrors.test(line))
        .slice(0, 3)
        .map((line) => `${name} must log no error (got ${line.slice(0, 1500)})`);
    });
  }

  /**
   * Resolves when every front-end looks a stock up and one of them trades. Rejects if that takes too long: something hangs.
   * `mayRecover`: calls between the services may have taken the leader away, so failures before that don't count.
   */
  async works(mayRecover: boolean): Promise<void> {
    const once = async () => {
      await Promise.all(
        dialectNames.map((dialect) =>
          requireSuccess(`http://127.0.0.1:${this.portOf(dialect)}${lookupPath(dialect, soldStock)}`),
        ),
      );
      await requireSuccess(`${this.#cluster.url}/orders`, { name: soldStock, quantity: 1, type: "sell" });
      this.#leader = (await this.#cluster.leader()) ?? this.#leader;
      return true;
    };
    if (mayRecover) await eventually("the bazaar looks up and trades again", once);
    else await once();
  }

  /** The state that messages may name. */
  async live(): Promise<Live> {
    const store = chosenLedgerStore(this.#cluster.ledger);
    return store.read(async (view) => {
      const { term, head, life } = await view.register();
      return { term, head, life, last: packOrders(await view.ordersAfter(head - 1, 1)) };
    });
  }

  /** Resolves when the catalog counts the front-ends of this bazaar as live, and no session of the fuzzer. */
  async sessionsAreBack(): Promise<void> {
    await eventually("only the front-ends of the bazaar are live", async () => {
      const { front_ends: frontEnds } = await askCluster(this.#cluster.url);
      return frontEnds.filter(({ state }) => state === "live").length === dialectNames.length;
    });
  }

  /** Checks I1 to I3, with two programs, and that the ledger holds what clients were told. Returns a sentence for each fault. */
  async checkDatabases(told: ToldTrades): Promise<string[]> {
    const { replicaIds: equal, initialQuantities, environment } = this.#cluster;
    const checks = await verify(readConfig(environment));
    const broken = checks.filter(({ outcome }) => outcome !== "kept").map((check) => JSON.stringify(check));
    const found = await untilEqual(this.#cluster, equal, (snapshot) => [
      ...violations(snapshot, { records: [], minCopies: 1, equal, initialQuantities }).map((one) =>
        JSON.stringify(one),
      ),
      ...told.missing(ledgerOf(snapshot)),
    ]);
    return [...broken, ...found];
  }

  async stop(): Promise<void> {
    await this.#cluster.dispose();
  }
}

function isError(line: string): boolean {
  try {
    return Number((JSON.parse(line) as { level?: unknown }).level) >= 50;
  } catch {
    // Not a line of the log: an exception that was printed.
    return true;
  }
}

async function requireSuccess(url: string, body?: object): Promise<void> {
  const response = await fetchDirectly(url, {
    ...(body && { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${url} must answer with 200 (got ${response.status} ${text})`);
}
