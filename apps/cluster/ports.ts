/**
 * Free ports, below the range from which the kernel takes the ports of outgoing connections. One from that range
 * could be taken, by any connection of any process, while the service that it belongs to is dead and about to be
 * started again; a client that keeps knocking there can even end up connected to itself.
 */

import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const firstPort = 10_000;
const lastPort = 32_000;

/**
 * No port is handed out twice while this process lives, to whatever process asks, also when its service isn't
 * running.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(...(await freePortsInARow(1)));
  return ports;
}

/** The same, each port one above that before it. */
export async function freePortsInARow(count: number): Promise<number[]> {
  for (;;) {
    const first = firstPort + Math.floor(Math.random() * (lastPort - firstPort - count));
    const ports = Array.from({ length: count }, (_, index) => first + index);
    const free: number[] = [];
    for (const port of ports) if ((await reserve(port)) && (await canListen(port))) free.push(port);
    if (free.length === count) return ports;
  }
}

export function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen({ host: "127.0.0.1", port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** The UDP port of the same number stands for it: the services speak TCP, and the kernel gives it to one process only. */
function reserve(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => {
      socket.close();
      resolve(false);
    });
    socket.bind({ address: "127.0.0.1", port, exclusive: true }, () => {
      socket.unref();
      resolve(true);
    });
  });
}
