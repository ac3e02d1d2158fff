/** The services of naive.proto, with the types of their messages. */

import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type MethodDefinition } from "@grpc/proto-loader";
import type { Empty, Order } from "@stock-bazaar/proto/generated/bazaar";
import type { Trade } from "@stock-bazaar/shared/domain";

export type Wish = Omit<Trade, "requestId">;

export interface Traded {
  order?: Order;
}

export interface TradedOutput {
  order: Order | null;
}

/** A type, not an interface: gRPC wants a service to have an index signature. */
type TradeService = { Trade: MethodDefinition<Wish, Traded, Wish, TradedOutput> };
type AppendService = { Append: MethodDefinition<Order, Empty> };

const packageDefinition = loadSync("naive.proto", {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  includeDirs: [import.meta.dirname, new URL("../../proto", import.meta.url).pathname],
});

const grpcObject = loadPackageDefinition(packageDefinition) as unknown as {
  bazaar: {
    naive: {
      NaiveCatalog: { service: TradeService };
      NaiveLeader: { service: TradeService };
      NaiveFollower: { service: AppendService };
    };
  };
};

export const { NaiveCatalog, NaiveLeader, NaiveFollower } = grpcObject.bazaar.naive;
