/** The `.proto` files, parsed: for gRPC reflection, and for `generate.ts`. The services themselves use `generated/`. */

import { loadSync, type PackageDefinition } from "@grpc/proto-loader";

export function loadDescriptors(): PackageDefinition {
  return loadSync(["catalog.proto", "orders.proto"], { includeDirs: [import.meta.dirname] });
}
