/** HTTP/2 as no client sends it: valid frames with some bytes changed, and frames that never were valid. */

import { messagesVersion } from "@stock-bazaar/proto/version";
import type { Random } from "@stock-bazaar/shared/random";
import { greetings, randomBytes } from "../http/bytes.ts";
import { type BytesInput, type GrpcService, changed } from "../input.ts";
import { methods } from "./methods.ts";

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const frameTypes = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  window: 8,
  continuation: 9,
};

function uint(value: number, bytes: number): string {
  return Array.from({ length: bytes }, (_, index) =>
    String.fromCharCode(Math.floor(value / 256 ** (bytes - 1 - index)) % 256),
  ).join("");
}

function frame(type: number, flags: number, stream: number, payload: string, length = payload.length): string {
  return uint(length, 3) + uint(type, 1) + uint(flags, 1) + uint(stream, 4) + payload;
}

/** HPACK: a literal that isn't indexed, without Huffman's code. Both texts must be shorter than 127 bytes. */
function literal(name: string, value: string): string {
  return `\0${uint(name.length, 1)}${name}${uint(value.length, 1)}${value}`;
}

function callFrames(random: Random, stream: number): string[] {
  const { path } = random.pick(methods);
  const fields = [
    literal(":method", "POST"),
    literal(":scheme", "http"),
    literal(":path", path),
    literal(":authority", "127.0.0.1"),
    literal("content-type", "application/grpc"),
    literal("te", "trailers"),
    literal("bazaar-messages", String(messagesVersion)),
  ].join("");
  // Bytes that decode to something are for `calls.ts`, which knows the tripwires. 0x07 is a wire type that doesn't exist.
  const message = `\x07${randomBytes(random, random.whole(0, 30))}`;
  const data = `\0${uint(message.length, 4)}${message}`;
  return [frame(frameTypes.headers, 4, stream, fields), frame(frameTypes.data, 1, stream, data)];
}

function strangeFrame(random: Random): string {
  const payload = randomBytes(random, random.pick([0, 1, 4, 5, 6, 8, 9, 40]));
  const length = random.chance(0.8) ? payload.length : random.pick([0, 1, 16_384, 16_385, 2 ** 24 - 1]);
  return frame(
    random.whole(0, 12),
    random.whole(0, 255),
    random.pick([0, 1, 2, 3, 5, 2 ** 31 - 1, 2 ** 32 - 1]),
    payload,
    length,
  );
}

function connectionBytes(random: Random): string[] {
  const settings = frame(frameTypes.settings, 0, 0, "");
  const calls = [1, 3, 5].slice(0, random.whole(1, 3)).flatMap((stream) => callFrames(random, stream));
  switch (random.whole(0, 7)) {
    case 0:
      return [randomBytes(random, random.whole(0, 400))];
    case 1:
      return [random.pick(greetings) + randomBytes(random, random.whole(0, 100))];
    case 2:
      return ["GET / HTTP/1.1\r\nhost: x\r\n\r\n"];
    case 3:
      return [preface + settings + Array.from({ length: random.whole(1, 8) }, () => strangeFrame(random)).join("")];
    case 4:
      // Many streams that are opened and reset at once.
      return [
        preface + settings,
        Array.from({ length: random.whole(1, 40) }, (_, index) => {
          const [headers = ""] = callFrames(random, 2 * index + 1);
          return headers + frame(frameTypes.reset, 0, 2 * index + 1, uint(8, 4));
        }).join(""),
      ];
    case 5:
      return [preface + settings, ...calls, strangeFrame(random), ...callFrames(random, 7)];
    case 6:
      return [preface, settings + calls.join("").slice(0, random.whole(0, calls.join("").length))];
    default: {
      const insert = randomBytes(random, random.whole(0, 4));
      const change = { at: random.next(), remove: random.pick([0, 1, 1, 3]), insert };
      return [changed(preface + settings + calls.join(""), [change])];
    }
  }
}

export function grpcBytes(random: Random, to: GrpcService): BytesInput {
  const end = random.chance(0.1) ? "reset" : "close";
  return { kind: "bytes", to, parts: connectionBytes(random), end };
}
