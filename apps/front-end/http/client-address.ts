/**
 * The address of a client behind proxies.
 *
 * Anyone can send `Forwarded` and `X-Forwarded-For`, so they count only on connections from proxies that the
 * configuration names, and only as far back as those have written them.
 */

import { BlockList, isIP, isIPv6 } from "node:net";

/** `proxies` are addresses and networks (`10.0.0.0/8`), as the configuration has checked them. */
export function addressBehind(proxies: readonly string[]): (headers: Headers, peer: string) => string {
  const trusted = new BlockList();
  for (const proxy of proxies) {
    const [address = "", bits] = proxy.split("/");
    const family = isIPv6(address) ? "ipv6" : "ipv4";
    if (bits === undefined) trusted.addAddress(address, family);
    else trusted.addSubnet(address, Number(bits), family);
  }
  const isTrusted = (address: string) => trusted.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  /** The last address in the chain that no trusted proxy has; the one before a part that can't be read. */
  const clientIn = (chain: readonly string[], peer: string) => {
    let client = peer;
    for (const address of chain.toReversed()) {
      if (isIP(address) === 0 || !isTrusted(client)) return client;
      client = address;
    }
    return client;
  };
  return (headers, connected) => {
    const peer = plain(connected);
    if (!isTrusted(peer)) return peer;
    const forwarded = headers.get("forwarded");
    const older = headers.get("x-forwarded-for");
    if (forwarded === null && older === null) return peer;
    const clients = [
      ...(forwarded === null ? [] : [clientIn(forwarded.split(",").map(forOf), peer)]),
      ...(older === null ? [] : [clientIn(older.split(",").map(withoutPort), peer)]),
    ];
    const [client = peer] = clients;
    // Most proxies write one of the two, and pass on what the client has sent as the other one.
    return clients.every((other) => other === client) ? client : peer;
  };
}

/** One parameter of an element of `Forwarded`, with its `;` unless it is the last. */
const parameter = /\s*([\w-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^;"\\\s]*)\s*(?:;|$)/gy;

/**
 * The `for` of one element of `Forwarded`; empty if it has none, or if any part of it can't be read. Proxies pass on the
 * client's `Host` as text in quotes: a comma in it has split the element, and what follows may look like another `for`.
 */
function forOf(element: string): string {
  const parameters = [...element.matchAll(parameter)];
  if (parameters.map(([text]) => text).join("") !== element) return "";
  const value = parameters.find(([, name]) => name?.toLowerCase() === "for")?.[2] ?? "";
  return withoutPort(value.replaceAll('"', ""));
}

function withoutPort(text: string): string {
  const [, bracketed, ipv4] = /^\s*(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)\s*$/.exec(text) ?? [];
  return plain(bracketed ?? ipv4 ?? text.trim());
}

/** An IPv4 address on a socket for both kinds looks like `::ffff:192.0.2.1`. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, "");
}

/** What a limit counts as one client: the address, and of IPv6 the network of 64 bits that one client usually has whole. */
export function clientNetwork(connected: string): string {
  const address = plain(connected);
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("::");
  const groups = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - groups.length - after.length) }, () => "0");
  const network = [...groups, ...zeros, ...after].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
  return `${network.join(":")}::/64`;
}
