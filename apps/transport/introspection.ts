/**
 * Health and reflection for every service, used by probes and grpcurl.
 *
 * Their packages take longer to load than everything else in a service, and most processes never receive such a call.
 * So the first call loads them.
 */

import { createRequire } from "node:module";
import type { MethodDefinition, ServiceDefinition, UntypedServiceImplementation } from "@grpc/grpc-js";
import type { PackageDefinition } from "@grpc/proto-loader";

const require = createRequire(import.meta.url);

const healthName = "grpc.health.v1.Health";

interface Server {
  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void;
}

/** The kinds of a service's calls, by the names of its methods. */
type Methods = Readonly<Record<string, { readonly requestStream: boolean; readonly responseStream: boolean }>>;

const unary = { requestStream: false, responseStream: false };
const stream = { requestStream: false, responseStream: true };
const twoWay = { requestStream: true, responseStream: true };

export interface Health {
  /** Reports SERVING or NOT_SERVING from now on. */
  set(isServing: boolean): void;
}

/** `service`: its full name, for probes that ask for it. */
export function addHealth(server: Server, service: string): Health {
  let status: "SERVING" | "NOT_SERVING" = "SERVING";
  let loaded: import("grpc-health-check").HealthImplementation | undefined;
  addLazily(server, healthName, { Check: unary, Watch: stream, List: unary }, (receiver) => {
    const { HealthImplementation } = require("grpc-health-check") as typeof import("grpc-health-check");
    loaded = new HealthImplementation({ "": status, [service]: status });
    loaded.addToServer(receiver);
  });
  return {
    set(isServing) {
      status = isServing ? "SERVING" : "NOT_SERVING";
      loaded?.setStatus("", status);
      loaded?.setStatus(service, status);
    },
  };
}

/** Describes `service`, by its full name, and its health. */
export function addReflection(server: Server, service: string): void {
  for (const version of ["v1", "v1alpha"]) {
    addLazily(server, `grpc.reflection.${version}.ServerReflection`, { ServerReflectionInfo: twoWay }, (receiver) => {
      const { ReflectionService } = require("@grpc/reflection") as typeof import("@grpc/reflection");
      const { loadDescriptors } =
        require("@stock-bazaar/proto/descriptors") as typeof import("@stock-bazaar/proto/descriptors");
      const { protoPath } = require("grpc-health-check") as typeof import("grpc-health-check");
      // It reads the descriptors only.
      const descriptors = loadDescriptors(protoPath) as PackageDefinition;
      new ReflectionService(descriptors, { services: [service, healthName] }).addToServer(receiver);
    });
  }
}

/** Serves `methods` of `service`. The first call runs `load`, which adds their implementation to a server. */
function addLazily(server: Server, service: string, methods: Methods, load: (receiver: Server) => void): void {
  let loaded: { definition: ServiceDefinition; implementation: UntypedServiceImplementation } | undefined;
  const find = (path: string) => {
    if (!loaded) {
      load({
        addService(definition, implementation) {
          if (Object.values(definition).some((method) => method.path.startsWith(`/${service}/`)))
            loaded = { definition, implementation };
        },
      });
    }
    const { definition = {}, implementation = {} } = loaded ?? {};
    const [name, method] = Object.entries(definition).find(([, candidate]) => candidate.path === path) ?? [];
    if (name === undefined || !method) throw new Error(`${path} isn't served`);
    const answer = implementation[name] ?? implementation[method.originalName ?? ""];
    return { method, answer: answer as (...call: unknown[]) => void };
  };
  const definition: Record<string, MethodDefinition<unknown, unknown>> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [name, kind] of Object.entries(methods)) {
    const path = `/${service}/${name}`;
    definition[name] = {
      path,
      ...kind,
      requestSerialize: (request) => find(path).method.requestSerialize(request),
      requestDeserialize: (bytes) => find(path).method.requestDeserialize(bytes),
      responseSerialize: (reply) => find(path).method.responseSerialize(reply),
      responseDeserialize: (bytes) => find(path).method.responseDeserialize(bytes),
    };
    implementation[name] = (...call: unknown[]) => find(path).answer(...call);
  }
  server.addService(definition, implementation);
}
