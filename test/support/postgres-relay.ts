/** A link between a ledger and its PostgreSQL server that breaks at a COMMIT. */

import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** What commits: a COMMIT, or a statement on its own, which is sent by its name. */
const swap = "compare-and-set\0";
const commits = ["COMMIT\0", swap];
/** How the answers to them end. */
const done = ["COMMIT\0", "SELECT 1\0"];

/**
 * What becomes of the next commit. `lost`: it doesn't reach the server, and the connection breaks. `answer lost`: it reaches
 * the server, whose answer breaks the connection. `answer held`: no answer arrives, and nothing breaks.
 */
export type AtCommit = "passes" | "lost" | "answer lost" | "answer held";

export interface PostgresRelay {
  /** The database's URL through the relay. */
  readonly url: string;
  atCommit: AtCommit;
  /** Connections so far. */
  readonly connections: number;
  /** Batches so far that were sent as one statement. */
  readonly swaps: number;
}

export async function startPostgresRelay(url: string): Promise<PostgresRelay> {
  const { port } = new URL(url);
  const sockets = new Set<Socket>();
  let connections = 0;
  let swaps = 0;
  const server = createServer((near) => {
    connections += 1;
    const far = createConnection({ host: "127.0.0.1", port: Number(port) });
    let answers: "pass" | "break" | "vanish" = "pass";
    const breakBoth = () => {
      near.destroy();
      far.destroy();
    };
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", breakBoth);
      socket.on("close", breakBoth);
    }
    near.on("data", (bytes: Buffer) => {
      if (bytes.includes(swap)) swaps += 1;
      if (relay.atCommit === "passes" || !commits.some((text) => bytes.includes(text))) return void far.write(bytes);
      const fate = relay.atCommit;
      relay.atCommit = "passes";
      if (fate === "lost") return breakBoth();
      answers = fate === "answer lost" ? "break" : "vanish";
      far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      if (answers === "pass") near.write(bytes);
      // The inserts are answered before the COMMIT, perhaps on their own.
      else if (answers === "break" && done.some((text) => bytes.includes(text))) breakBoth();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const relay: PostgresRelay = {
    url: url.replace(port, String((server.address() as AddressInfo).port)),
    atCommit: "passes",
    get connections() {
      return connections;
    },
    get swaps() {
      return swaps;
    },
  };
  return relay;
}
