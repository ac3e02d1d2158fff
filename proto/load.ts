/** The messages and services of the `.proto` files, loaded once, typed by the files in `generated/`. */

import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type Options } from "@grpc/proto-loader";
import type { ProtoGrpcType as CatalogProto } from "./generated/catalog.ts";
import type { ProtoGrpcType as OrdersProto } from "./generated/orders.ts";

/** `generate.ts` passes the same options to the type generator. */
const options: Options = {
  longs: Number,
  enums: String,
  defaults: true,
  arrays: true,
  includeDirs: [import.meta.dirname],
};

/** For gRPC reflection. */
export const packageDefinition = loadSync(["catalog.proto", "orders.proto"], options);

const grpcObject = loadPackageDefinition(packageDefinition) as unknown as CatalogProto & OrdersProto;

export const { Catalog, Orders } = grpcObject.bazaar.v1;
