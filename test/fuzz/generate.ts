/** The inputs of a seed: the same seed and number are the same input, on any machine. */

import { dialectNames } from "@stock-bazaar/contract/dialects";
import { Random } from "@stock-bazaar/shared/random";
import fc from "fast-check";
import { calls } from "./grpc/calls.ts";
import { grpcBytes } from "./grpc/bytes.ts";
import { httpBytes } from "./http/bytes.ts";
import { requestsOf } from "./http/requests.ts";
import type { GrpcService, Input } from "./input.ts";

/** Inputs that follow one another have one family: what is sent beside each other must not confuse the verdicts. */
export const batchInputs = 250;

/** `http` is values and bytes; no service is disturbed beside it, so no reply may be a 503. */
export type Family = "http" | "grpc";

const services: readonly GrpcService[] = ["catalog", "order-1", "order-2", "order-3", "leader"];

export function familyOf(number: number): Family {
  return Math.floor((number - 1) / batchInputs) % 4 === 3 ? "grpc" : "http";
}

function drawn<Value>(arbitrary: fc.Arbitrary<Value>, random: Random): Value {
  const [value] = fc.sample(arbitrary, { seed: random.whole(0, 2 ** 31 - 1), numRuns: 1 });
  return value as Value;
}

/** `number` counts from 1. */
export function inputOf(seed: number, number: number): Input {
  const random = new Random(seed, number);
  if (familyOf(number) === "grpc")
    return random.chance(0.75) ? drawn(calls, random) : grpcBytes(random, random.pick(services));
  const to = random.pick(dialectNames);
  const request = () => drawn(requestsOf(to), random);
  return random.chance(0.65) ? { kind: "http", to, request: request() } : httpBytes(random, to, request);
}
