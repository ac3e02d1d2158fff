/** A TCP connection that a test can cut and freeze: what a peer sees of a process that is killed or stopped. */

import { createServer, createConnection, type AddressInfo, type Socket } from "node:net";
import type { Address } from "@stock-bazaar/shared/config";

export interface Proxy {
  readonly address: Address;
  /** How many connections were made so far. */
  readonly connections: number;
  /** Ends what is open, and refuses new connections until it is mended. */
  cut(): void;
  mend(): void;
  /** Lets nothing through on what is open, either way, and ends nothing. A new connection works. */
  freeze(): void;
  close(): Promise<void>;
}

/** `port` is asked for at each connection, so that the server behind may come back on another one. */
export async function startProxy(port: () => number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const frozen = new WeakSet<Socket>();
  let isCut = false;
  let connections = 0;
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const server = createServer((near) => {
    keep(near);
    connections += 1;
    if (isCut) return void near.destroy();
    const far = createConnection({ host: "127.0.0.1", port: port() });
    keep(far);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on("data", (bytes) => {
        if (!frozen.has(from)) to.write(bytes);
      });
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    get connections() {
      return connections;
    },
    cut() {
      isCut = true;
      destroyAll();
    },
    mend: () => void (isCut = false),
    freeze() {
      for (const socket of sockets) frozen.add(socket);
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      destroyAll();
      return closed;
    },
  };
}
