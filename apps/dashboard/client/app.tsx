/** The page: its layout, and the state that its parts share. */

import type { Cluster } from "@stock-bazaar/contract/replies";
import { useState } from "preact/hooks";
import { Board } from "./board.tsx";
import { ClusterPicture } from "./cluster-picture.tsx";
import { FaultButtons } from "./fault-buttons.tsx";
import { FollowOrder } from "./follow-order.tsx";
import { clockTime } from "./format.ts";
import { Happenings } from "./happenings-log.tsx";
import { LatestOrders } from "./latest-orders.tsx";
import type { Model } from "./model.ts";
import { RobotPanel } from "./robot-panel.tsx";
import { type PagePath, queryOf } from "./stock-pages.ts";
import { TokenForm } from "./token-form.tsx";
import { TradeForm } from "./trade-form.tsx";
import { TrafficCharts } from "./traffic-charts.tsx";
import { useModel } from "./use-model.ts";

/** Dialects whose replies to trades and order queries follow the HTTP contract. */
const supportedDialects: readonly string[] = ["bazaar", "pyro"];

export function App() {
  const [path, showPath] = useState<PagePath>([]);
  const { model, refusal, hasToken, changeToken } = useModel(queryOf(path));
  const [showsToken, showToken] = useState(false);
  const [stock, chooseStock] = useState<string | undefined>();
  const [order, followOrder] = useState<number | undefined>();
  const shown = model.rows?.map(({ name }) => name) ?? [];
  // A stock that was chosen on another page stays chosen.
  const names = stock === undefined || shown.includes(stock) ? shown : [stock, ...shown];
  const dialect = model.cluster?.front_ends[0]?.dialect;
  const isCatalogSeen = model.cluster === undefined || ["live", "read-only"].includes(model.cluster.catalog.state);
  const isSupported = dialect === undefined || supportedDialects.includes(dialect);
  return (
    <div class={`page${model.connection === "lost" ? " old" : isCatalogSeen ? "" : " away"}`}>
      <Header model={model} />
      <Warning model={model} />
      {(refusal !== undefined || showsToken) && (
        <TokenForm refusal={refusal} hasToken={hasToken} change={changeToken} />
      )}
      <main>
        <section class="card cluster" aria-labelledby="cluster-title">
          <div class="card-head">
            <h2 id="cluster-title">Cluster</h2>
            {model.faults && (
              <FaultButtons
                enabled={model.connection === "live" && model.cluster?.leader !== null}
                hasStandbys={(model.cluster?.catalogs?.length ?? 0) > 1}
              />
            )}
          </div>
          <ClusterPicture model={model} followed={order} />
          <Happenings happenings={model.happenings} />
        </section>
        <section class="card board" aria-labelledby="board-title">
          <div class="card-head">
            <h2 id="board-title">Stocks</h2>
            {!isCatalogSeen && <span class="bad">as the catalog last told</span>}
          </div>
          <Board
            rows={model.rows}
            chosen={stock ?? names[0]}
            choose={chooseStock}
            next={model.next}
            total={model.cluster?.catalog.stocks ?? undefined}
            path={path}
            show={showPath}
          />
        </section>
        <div class="side">
          <section class="card" aria-labelledby="trade-title">
            <h2 id="trade-title">Trade</h2>
            {isSupported ? (
              <TradeForm
                names={names}
                chosen={stock ?? names[0]}
                row={model.rows?.find(({ name }) => name === (stock ?? names[0]))}
                choose={chooseStock}
                placed={followOrder}
              />
            ) : (
              <p class="quiet">
                This front-end uses the dialect {dialect}, which this page doesn’t support. Trade through a front-end
                with the dialect bazaar.
              </p>
            )}
          </section>
          {isSupported && (
            <>
              <section class="card" aria-labelledby="follow-title">
                <h2 id="follow-title">Follow an order</h2>
                <FollowOrder number={order} follow={followOrder} cluster={model.cluster} />
              </section>
              <section class="card" aria-labelledby="robot-title">
                <h2 id="robot-title">Robot</h2>
                <RobotPanel names={names} />
              </section>
            </>
          )}
        </div>
        <section class="traffic" aria-label="Traffic of the last five minutes">
          <TrafficCharts samples={model.samples} />
        </section>
        <section class="card latest" aria-labelledby="latest-title">
          <div class="card-head">
            <h2 id="latest-title">Latest orders</h2>
          </div>
          <LatestOrders orders={model.orders} follow={followOrder} followed={order} />
        </section>
      </main>
      <footer>
        <a href="/docs">API</a> <a href="/metrics">Metrics</a> <a href="/cluster">Cluster as JSON</a>{" "}
        <button type="button" aria-expanded={showsToken} onClick={() => showToken(!showsToken)}>
          Token
        </button>
      </footer>
    </div>
  );
}

const connectionWords = { connecting: "Connecting", live: "Live", lost: "Connection lost" } as const;

/** Without a live catalog or a live replica no trade can be answered, however well the front-end is. */
function canTrade({ catalog, replicas }: Cluster): boolean {
  return catalog.state === "live" && replicas.some(({ state }) => state === "live");
}

function Header({ model: { connection, cluster } }: { model: Model }) {
  const isIdle = connection === "live" && cluster !== undefined && !canTrade(cluster);
  return (
    <header>
      <div class="header-row">
        <h1>Stock Bazaar</h1>
        <p class={`pill ${isIdle ? "lost" : connection}`} role="status">
          <span class="dot" aria-hidden="true" />
          {isIdle ? "No trading" : connectionWords[connection]}
        </p>
      </div>
      <div class="awning" aria-hidden="true" />
    </header>
  );
}

const catalogWarnings = {
  live: undefined,
  "read-only":
    "The catalog can't write its ledger: its database is locked, or its disk is full. Prices and quantities are current; trades wait.",
  away: "The catalog is away. Prices and quantities may be old; trades wait until it is back.",
  refusing:
    "The catalog's file is an old copy: its ledger was longer once. It refuses everything until a person restores the right file or rebuilds it.",
};

const noReplica = "No order replica answers. Trades and order queries wait until one is back; lookups go on.";

/** Warns when the data on the page may be old, and explains why. */
function Warning({ model: { connection, lastEventMs, cluster } }: { model: Model }) {
  const since = lastEventMs === undefined ? "" : ` This page shows the state at ${clockTime(lastEventMs)}.`;
  const text =
    connection === "lost"
      ? `The front-end doesn't answer.${since} Reconnecting…`
      : cluster && (catalogWarnings[cluster.catalog.state] ?? (canTrade(cluster) ? undefined : noReplica));
  const problem = connection === "lost" ? undefined : cluster?.catalog.problem;
  return (
    <div role="alert" class="warnings">
      {text !== undefined && <p class="warning">{problem === undefined ? text : `${text} (${problem})`}</p>}
    </div>
  );
}
