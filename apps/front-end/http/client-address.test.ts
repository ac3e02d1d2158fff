import { expect, test } from "vitest";
import { addressBehind, clientNetwork } from "./client-address.ts";

const find = addressBehind(["127.0.0.1", "10.0.0.0/8", "2001:db8:1::/48"]);
const of = (peer: string, headers: Record<string, string>) => find(new Headers(headers), peer);

test.each<[string, string, Record<string, string>, string]>([
  ["no headers", "10.1.2.3", {}, "10.1.2.3"],
  ["one proxy", "10.1.2.3", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ["one proxy, as an IPv6 socket shows it", "::ffff:10.1.2.3", { "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  ["two proxies", "127.0.0.1", { "x-forwarded-for": "192.0.2.7, 10.9.9.9" }, "192.0.2.7"],
  ["an address that the client made up", "10.1.2.3", { "x-forwarded-for": "203.0.113.1, 192.0.2.7" }, "192.0.2.7"],
  ["only proxies", "10.1.2.3", { "x-forwarded-for": "10.4.4.4, 10.5.5.5" }, "10.4.4.4"],
  ["a part that can't be read", "10.1.2.3", { "x-forwarded-for": "192.0.2.7, unknown, 10.9.9.9" }, "10.9.9.9"],
  ["a port", "10.1.2.3", { "x-forwarded-for": "192.0.2.7:4711" }, "192.0.2.7"],
  ["IPv6", "2001:db8:1::5", { "x-forwarded-for": "2001:db8:2::7" }, "2001:db8:2::7"],
  ["Forwarded", "10.1.2.3", { forwarded: 'for="[2001:db8:2::7]:4711";proto=https;by=10.1.2.3' }, "2001:db8:2::7"],
  ["Forwarded in other words", "10.1.2.3", { forwarded: "proto=http; For=192.0.2.7 , for=10.9.9.9" }, "192.0.2.7"],
  [
    "text in quotes that looks like an element",
    "10.1.2.3",
    { forwarded: 'host="a,for=203.0.113.1";for=192.0.2.7' },
    "10.1.2.3",
  ],
  [
    "text in quotes that looks like two",
    "10.1.2.3",
    { forwarded: 'host="a,for=203.0.113.1,b";for=192.0.2.7' },
    "10.1.2.3",
  ],
  [
    "text in quotes that ends with a parameter",
    "10.1.2.3",
    { forwarded: 'host="a,for=203.0.113.1;x=\\"";for=192.0.2.7' },
    "10.1.2.3",
  ],
  [
    "text in quotes that looks like a parameter",
    "10.1.2.3",
    { forwarded: 'host="a;for=203.0.113.1";for=192.0.2.7' },
    "192.0.2.7",
  ],
  ["a quote that the client left open", "10.1.2.3", { forwarded: 'for="x, for=192.0.2.7' }, "192.0.2.7"],
  ["Forwarded without an address", "10.1.2.3", { forwarded: "for=_hidden" }, "10.1.2.3"],
  ["both, which agree", "10.1.2.3", { forwarded: "for=192.0.2.7", "x-forwarded-for": "192.0.2.7" }, "192.0.2.7"],
  [
    "both, of which the client made one up",
    "10.1.2.3",
    { forwarded: "for=192.0.2.8", "x-forwarded-for": "192.0.2.7" },
    "10.1.2.3",
  ],
  ["a client that is no proxy", "192.0.2.7", { "x-forwarded-for": "203.0.113.1" }, "192.0.2.7"],
])("%s", (_, peer, headers, client) => {
  expect(of(peer, headers)).toBe(client);
});

test("without trusted proxies nothing that a client sends counts", () => {
  expect(
    addressBehind([])(new Headers({ "x-forwarded-for": "192.0.2.7", forwarded: "for=192.0.2.7" }), "127.0.0.1"),
  ).toBe("127.0.0.1");
});

test.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::6", "2001:db8:1:2::/64"],
  ["2001:0db8::", "2001:db8:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  ["", ""],
])("%s is counted as %s", (address, network) => {
  expect(clientNetwork(address)).toBe(network);
});
