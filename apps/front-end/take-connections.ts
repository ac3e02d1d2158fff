/**
 * Makes the kernel give every new connection to this process, if another one listens on the same port (SO_REUSEPORT). By
 * default both get a part of them, and those that the other one hasn't accepted when it stops to listen are reset.
 *
 * Linux keeps the sockets of such a port in the order in which they began to listen, and asks a small program for the place of
 * the one that gets a connection. This program answers "the second": the one that follows. When the first has left, there is
 * no second, and Linux goes on as without a program. It stays for the next one that follows.
 */

import { readdirSync } from "node:fs";
import { dlopen, ptr } from "bun:ffi";

const libraries = ["libc.so.6", "libc.so"];

const solSocket = 1;
const soAcceptConn = 30;
const soAttachReusePortCbpf = 51;
/** The instruction "return this number", and the number: a place, from 0. */
const program = new Uint32Array([0x06, 1]);

/** Returns false if the system can't: then the connections are spread. */
export function takeConnections(port: number): boolean {
  if (process.platform !== "linux") return false;
  for (const library of libraries) {
    try {
      return attach(port, openSockets(library));
    } catch {
      // Another C library.
    }
  }
  return false;
}

function openSockets(library: string) {
  return dlopen(library, {
    getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
    getsockname: { args: ["i32", "ptr", "ptr"], returns: "i32" },
    setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  }).symbols;
}

function attach(port: number, sockets: ReturnType<typeof openSockets>): boolean {
  const listener = readdirSync("/proc/self/fd")
    .map(Number)
    .find((fd) => isListener(fd, port, sockets));
  if (listener === undefined) return false;
  // The number of instructions, and where they are.
  const described = new BigUint64Array([1n, BigInt(ptr(program))]);
  return sockets.setsockopt(listener, solSocket, soAttachReusePortCbpf, ptr(described), described.byteLength) === 0;
}

function isListener(fd: number, port: number, { getsockopt, getsockname }: ReturnType<typeof openSockets>): boolean {
  const value = new Uint32Array([0]);
  const length = new Uint32Array([value.byteLength]);
  if (getsockopt(fd, solSocket, soAcceptConn, ptr(value), ptr(length)) !== 0 || value[0] !== 1) return false;
  const address = new Uint8Array(128);
  length[0] = address.byteLength;
  // The port stands after the family, in IPv4 and IPv6.
  return getsockname(fd, ptr(address), ptr(length)) === 0 && new DataView(address.buffer).getUint16(2) === port;
}
