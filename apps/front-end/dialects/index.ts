import type { DialectName } from "@stock-bazaar/contract/dialects";
import { bazaar } from "./bazaar.ts";
import type { Dialect } from "./dialect.ts";
import { pyro } from "./pyro.ts";
import { pyroRedis } from "./pyro-redis.ts";
import { streaming } from "./streaming.ts";
import { toyStore } from "./toy-store.ts";

export const dialects: Readonly<Record<DialectName, Dialect>> = {
  bazaar,
  pyro,
  streaming,
  "toy-store": toyStore,
  "pyro-redis": pyroRedis,
};
