/** A link between a ledger and its PostgreSQL server that breaks at a COMMIT. */

import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/**
 * What becomes of the next COMMIT. `lost`: it doesn't reach the server, and the connection breaks. `answer lost`: it reaches
 * the server, whose answer breaks the connection. `answer held`: no answer arrives, and nothing breaks.
 */
export type AtCommit = "passes" | "lost" | "answer lost" | "answer held";

export interface PostgresRelay {
  /** The database's URL through the relay. */
  readonly url: string;
  atCommit: AtCommit;
  /** Connections so far. */
  readonly connections: number;
}

export async function startPostgresRelay(url: string): Promise<PostgresRelay> {
  const { port } = new URL(url);
  const sockets = new Set<Socket>();
  let connections = 0;
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
      if (relay.atCommit === "passes" || !bytes.includes("COMMIT\0")) return void far.write(bytes);
      const fate = relay.atCommit;
      relay.atCommit = "passes";
      if (fate === "lost") return breakBoth();
      answers = fate === "answer lost" ? "break" : "vanish";
      far.write(bytes);
    });
    far.on("data", (bytes: Buffer) => {
      if (answers === "pass") near.write(bytes);
      // The inserts are answered before the COMMIT, perhaps on their own.
      else if (answers === "break" && bytes.includes("COMMIT\0")) breakBoth();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const relay: { url: string; atCommit: AtCommit; readonly connections: number } = {
    url: url.replace(port, String((server.address() as AddressInfo).port)),
    atCommit: "passes",
    get connections() {
      return connections;
    },
  };
  return relay;
}
