/**
 * Finds free ports below the range from which the kernel takes the ports of outgoing connections. While a service is
 * dead and about to restart, any connection of any process could take a port in that range, and a client that keeps
 * dialling such a port can even connect to itself.
 */

import { createSocket } from "node:dgram";
import { createServer } from "node:net";

const firstPort = 10_000;
const lastPort = 32_000;

/**
 * Returns free ports. While this process lives, no port is returned twice, in any process, even if its service isn't
 * running.
 */
export async function freePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(...(await freePortsInARow(1)));
  return ports;
}

/** Like `freePorts`, but the ports are consecutive. */
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

/** Reserves a port by holding the UDP port of the same number: the services use TCP, and one process can hold it. */
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
