/**
 * A TCP relay in front of one server: a link that can be cut while the processes at both of its ends go on. One manner of
 * a cut is what a peer sees of a process that was killed, the other what it sees of a network that loses every packet.
 */

import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import type { Address } from "@stock-bazaar/process/addresses";

/**
 * `refused`: open connections end, and so does every new one at once. `silent`: nothing passes and nothing ends; a new
 * connection is accepted and gets no answer.
 */
export const cutManners = ["refused", "silent"] as const;

export type CutManner = (typeof cutManners)[number];

export interface Relay {
  /** Where the relay listens. */
  readonly address: Address;
  /** How many connections were made so far. */
  readonly connections: number;
  /** Lasts until `mend`. */
  cut(manner: CutManner): void;
  /** What a silent link has held back passes now, as packets do that are sent again. */
  mend(): void;
  close(): Promise<void>;
}

type State =
  | { readonly kind: "open" }
  | { readonly kind: "refused" }
  /** `held`: what would have passed, in its order. HTTP/2's windows bound it. */
  | { readonly kind: "silent"; readonly held: (() => void)[] };

/** `port` is read at each connection, so that the server behind may come back on another one. */
export async function startRelay(port: () => number): Promise<Relay> {
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
    from.on("data", (bytes) => pass(() => void to.write(bytes)));
    from.on("close", () => pass(() => void to.destroy()));
  };
  const connect = (near: Socket) => {
    if (near.destroyed) return;
    const far = createConnection({ host: "127.0.0.1", port: port() });
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
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port },
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
