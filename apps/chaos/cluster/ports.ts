/**
 * Free ports, below the range from which the kernel takes the ports of outgoing connections. One from that range
 * could be taken, by any connection of any process, while the service that it belongs to is dead and about to be
 * started again; a client that keeps knocking there can even end up connected to itself.
 */

import { createServer } from "node:net";

const firstPort = 10_000;
const lastPort = 32_000;
/** Ports that this process has handed out: none twice, also when its service isn't running. */
const handedOut = new Set<number>();

export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort));
    if (handedOut.has(port) || !(await canListen(port))) continue;
    handedOut.add(port);
    ports.push(port);
  }
  return ports;
}

export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
