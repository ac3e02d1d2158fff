/**
 * A TCP relay in front of one server: a link that can be cut while the processes at both ends keep running. A cut looks
 * to a peer like a killed process, or like a network that loses every packet. It can also delay what passes, like a
 * long way.
 */

import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import type { Address } from "@stock-bazaar/process/addresses";

/**
 * `refused` closes open connections, and every new one at once. `silent` passes nothing and closes nothing; it accepts
 * a new connection, which gets no answer.
 */
export const cutManners = ["refused", "silent"] as const;

export type CutManner = (typeof cutManners)[number];

export interface Relay {
  /** Where the relay listens. */
  readonly address: Address;
  /** The number of connections so far. */
  readonly connections: number;
  /** Cuts the link until `mend`. */
  cut(manner: CutManner): void;
  /** Mends the link. Bytes that a silent link held now pass, as retransmitted packets would. */
  mend(): void;
  close(): Promise<void>;
}

type State =
  | { readonly kind: "open" }
  | { readonly kind: "refused" }
  /** `held` is what would have passed, in order. The flow control of HTTP/2 bounds it. */
  | { readonly kind: "silent"; readonly held: (() => void)[] };

export interface RelayOptions {
  /** The server's host. Default: this machine. */
  readonly host?: string;
  /** The address to listen on. Default: loopback. */
  readonly listenHost?: string;
  /** The delay of each byte, and of the end of a connection, in each direction. */
  readonly delayMs?: number;
}

/** Starts a relay. It reads `port` at each connection, so that the server may restart on another port. */
export async function startRelay(port: () => number, options: RelayOptions = {}): Promise<Relay> {
  const { host = "127.0.0.1", listenHost = "127.0.0.1", delayMs = 0 } = options;
  const sockets = new Set<Socket>();
  let state: State = { kind: "open" };
  let connections = 0;
  const pass = (action: () => void) => {
    if (state.kind === "silent") state.held.push(action);
    else action();
  };
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => sockets.delete(socket));
  };
  const forward = (from: Socket, to: Socket) => {
    // The timers of one delay fire in the order in which they were set.
    const later = (action: () => void) => (delayMs === 0 ? pass(action) : setTimeout(() => pass(action), delayMs));
    from.on("data", (bytes) => later(() => void to.write(bytes)));
    from.on("close", () => later(() => void to.destroy()));
  };
  const connect = (near: Socket) => {
    if (near.destroyed) return;
    const far = createConnection({ host, port: port() });
    keep(far);
    forward(near, far);
    forward(far, near);
  };
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  const server = createServer((near) => {
    keep(near);
    connections += 1;
    if (state.kind === "refused") near.destroy();
    else pass(() => connect(near));
  });
  await new Promise<void>((resolve) => server.listen(0, listenHost, resolve));
  return {
    address: { host: listenHost, port: (server.address() as AddressInfo).port },
    get connections() {
      return connections;
    },
    cut(manner) {
      if (state.kind === manner) return;
      state = manner === "silent" ? { kind: "silent", held: [] } : { kind: "refused" };
      if (manner === "refused") destroyAll();
    },
    mend() {
      const held = state.kind === "silent" ? state.held : [];
      state = { kind: "open" };
      for (const action of held) action();
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      destroyAll();
      return closed;
    },
  };
}
