/**
 * Runs the scenarios whose titles arrive on standard input, one a line, and writes their results as lines of JSON. Must run in
 * namespaces of its own (`isolated.ts`): when its input ends, so do they.
 */

import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startTemporaryPostgres, type TemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { askCluster } from "@stock-bazaar/client/ask-cluster";
import type { TradeRecord } from "@stock-bazaar/client/bazaar-client";
import { catalogName } from "@stock-bazaar/cluster/addresses";
import { Cluster } from "@stock-bazaar/cluster/cluster";
import { CertificateFolder, makeAuthority } from "../../support/certificates.ts";
import { Network } from "./network.ts";
import { type Figures, runRound } from "./round.ts";
import { databaseHost, type Scenario, scenarios } from "./scenarios.ts";

export interface Result {
  readonly violations: readonly string[];
  readonly figures?: Figures;
  /** The last lines of each service's log, if something was violated. */
  readonly logs: readonly string[];
}

const replicas = 3;
const frontEnds = 2;
const delayMs = 50;
const logLinesMax = 40;

const services = ["catalog", "catalog-2", "order-1", "order-2", "order-3", "front-end-1", "front-end-2"];

/** What is different from one bazaar to another. */
const kindFields = ["isDelayed", "isShared", "isSecure"] as const;

type Kind = Pick<Scenario, (typeof kindFields)[number]>;

class Bazaar {
  readonly #cluster: Cluster;
  readonly #network: Network;
  readonly #minCopies: number;
  #trades: TradeRecord[] = [];

  private constructor(cluster: Cluster, network: Network, minCopies: number) {
    this.#cluster = cluster;
    this.#network = network;
    this.#minCopies = minCopies;
  }

  static async start(
    network: Network,
    { isDelayed = false, isShared = false, isSecure = false }: Kind,
  ): Promise<Bazaar> {
    const minCopies = isDelayed ? 2 : 1;
    const cluster = await Cluster.create({
      replicas,
      frontEnds,
      hosts: network,
      catalogApart: true,
      relays: isDelayed,
      delayMs: isDelayed ? delayMs : 0,
      catalogs: isShared ? 2 : 1,
      environment: {
        ORDER_MIN_COPIES: String(minCopies),
        ...(isShared && { LEDGER_URL: await newLedger(network) }),
        // Its clients have no tokens.
        ALLOW_INSECURE: "1",
        ...(isSecure && (await certificatesFor(services.map((name) => network.nameOf(name))))),
      },
    });
    await cluster.startInOrder();
    return new Bazaar(cluster, network, minCopies);
  }

  /** After a failure, what clients were told is no longer known as a whole: the next scenario needs another bazaar. */
  isWhole = true;

  async run({ faultOf, isUnseen, patienceMs }: Scenario): Promise<Result> {
    const [cluster, network] = [this.#cluster, this.#network];
    const leads = await cluster.leader();
    const [follows] = cluster.replicaIds.filter((id) => id !== leads);
    const [leader, follower] = [network.host(`order-${leads}`), network.host(`order-${follows}`)];
    const { catalogs = [] } = await askCluster(cluster.url);
    const active = network.host(catalogName(Math.max(1, catalogs.findIndex(({ state }) => state === "active") + 1)));
    const fault = faultOf({ cluster, network, leader, follower, active });
    const options = { minCopies: this.#minCopies, earlierTrades: this.#trades };
    try {
      const round = await runRound(cluster, fault, { ...options, ...(patienceMs !== undefined && { patienceMs }) });
      this.#trades = [...this.#trades, ...round.trades];
      const { figures } = round;
      const seen = isUnseen && figures.unanswered > 0 ? [`${figures.unanswered} requests were not answered`] : [];
      const violations = [...round.violations, ...seen];
      return { violations, figures, logs: violations.length > 0 ? this.#logs : [] };
    } catch (error) {
      this.isWhole = false;
      const cause = error instanceof Error && error.cause instanceof Error ? `, ${error.cause.message}` : "";
      return { violations: [`${String(error)}${cause}`], logs: this.#logs };
    }
  }

  dispose(): Promise<void> {
    return this.#cluster.dispose();
  }

  get #logs(): string[] {
    return this.#cluster.services.flatMap(({ name, lines }) => [`--- ${name}`, ...lines.slice(-logLinesMax)]);
  }
}

let postgres: Promise<TemporaryPostgres> | undefined;

async function newLedger(network: Network): Promise<string> {
  postgres ??= startTemporaryPostgres([], network.host(databaseHost));
  return (await postgres).newDatabase();
}

/** The variables of a certificate for all hosts. Its files end with the folder of this process. */
async function certificatesFor(hosts: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const folder = new CertificateFolder(join(tmpdir(), "certificates"));
  return (await folder.fill(await makeAuthority(), hosts)).environment;
}

/** A scenario in progress ends with the input too: the test was interrupted. */
const titles = createInterface({ input: process.stdin }).on("close", () => process.exit());
const network = Network.create([...services, databaseHost]);
let bazaar: Bazaar | undefined;
let kind: Kind = {};
for await (const title of titles) {
  const scenario = scenarios.find((each) => each.title === title);
  if (!scenario) throw new Error(`a scenario must be one of the list (got ${title})`);
  const isSame = kindFields.every((each) => kind[each] === scenario[each]);
  if (bazaar && !(bazaar.isWhole && isSame)) {
    await bazaar.dispose();
    bazaar = undefined;
  }
  kind = scenario;
  bazaar ??= await Bazaar.start(network, kind);
  process.stdout.write(`${JSON.stringify(await bazaar.run(scenario))}\n`);
}
