/**
 * Health as a probe queries it, and reflection as grpcurl uses it.
 *
 * grpcurl has none of our `.proto` files: it lists the services, fetches the files that describe one, and calls a
 * method with these.
 */

import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer, loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { CatalogService, OrdersService } from "@stock-bazaar/proto/generated/bazaar";
import { service as healthService } from "grpc-health-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { orderOf } from "../../test/support/builders.ts";
import { packOrder } from "@stock-bazaar/shared/batches";
import { CallStreams } from "./call-streams.ts";
import { clientOptions } from "./client.ts";
import { forSameVersion } from "./handshake.ts";
import { type Service, serveUnary, startServer } from "./server.ts";
import { catalogVariables } from "@stock-bazaar/process/addresses";
import { silentLogger } from "@stock-bazaar/process/log";

const register = { term: 7, leader: 3, head: 42, life: "a life", stocks: 10 };
const order = packOrder(orderOf(5));

const services: [name: string, service: Service][] = [
  [
    "bazaar.v1.Catalog",
    {
      definition: CatalogService,
      implementation: { getRegister: serveUnary(async () => ({ ...register, obstacle: "" })) },
      drain() {},
    },
  ],
  [
    "bazaar.v1.Orders",
    {
      definition: OrdersService,
      implementation: {
        getOrder: new CallStreams().serve(
          async ({ id }: { id: number; sequence: number }) => ({ order: packOrder(orderOf(id)) }),
          { order: "" },
        ),
      },
      drain() {},
    },
  ],
];

const anywhere = { host: "127.0.0.1", port: 0, variables: catalogVariables };

/** The definitions that are built into grpcurl. */
const folder = dirname(createRequire(import.meta.url).resolve("@grpc/reflection/package.json"));
const reflectionVersions = ["v1", "v1alpha"].map((version) => {
  const definition = loadSync(`${folder}/build/proto/grpc/reflection/${version}/reflection.proto`);
  return [version, definition] as const;
});

async function started(service: Service): Promise<string> {
  const checked = forSameVersion(service, { name: "service", version: 7, logger: silentLogger });
  const server = await startServer(anywhere, checked);
  onTestFinished(() => server.stop(0));
  return `127.0.0.1:${server.port}`;
}

function clientOf(definition: PackageDefinition, name: string, address: string): grpc.Client & Methods {
  const found = name
    .split(".")
    .reduce<unknown>((part, key) => Reflect.get(Object(part), key), grpc.loadPackageDefinition(definition));
  const Client = found as grpc.ServiceClientConstructor;
  const client = new Client(address, grpc.credentials.createInsecure(), clientOptions);
  onTestFinished(() => client.close());
  return client as unknown as grpc.Client & Methods;
}

interface Methods {
  ServerReflectionInfo(): grpc.ClientDuplexStream<object, ReflectionReply>;
  GetRegister(request: object, headers: grpc.Metadata, answered: (error: Error | null, reply: unknown) => void): void;
  GetOrder(headers: grpc.Metadata): grpc.ClientDuplexStream<object, unknown>;
  Check(request: object, answered: (error: Error | null, reply: unknown) => void): void;
}

interface ReflectionReply {
  readonly listServicesResponse?: { readonly service: readonly { readonly name: string }[] };
  readonly fileDescriptorResponse?: { readonly fileDescriptorProto: readonly Buffer[] };
}

/** Sends one request on a stream, and resolves with the first reply. */
function ask<Reply>(stream: grpc.ClientDuplexStream<object, Reply>, request: object): Promise<Reply> {
  return new Promise((resolve, reject) => {
    stream.on("data", resolve);
    stream.on("error", reject);
    stream.write(request);
    stream.end();
  });
}

/** The files as one message: FileDescriptorSet, its field 1 once for each. */
function descriptorSet(files: readonly Buffer[]): Buffer {
  return Buffer.concat(files.flatMap((file) => [Buffer.from([0x0a, ...varint(file.length)]), file]));
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

interface Watched {
  readonly status: string;
}

describe("health", () => {
  test.each(["", "bazaar.v1.Catalog"])("of %o: serving until the service stops", async (service) => {
    const [, catalog] = services[0] ?? [];
    const server = await startServer(anywhere, catalog as Service);
    onTestFinished(() => server.stop(0));
    const Health = grpc.makeGenericClientConstructor(healthService, "Health");
    const client = new Health(`127.0.0.1:${server.port}`, grpc.credentials.createInsecure(), clientOptions);
    onTestFinished(() => client.close());
    const { Check, Watch } = client as unknown as {
      Check(request: object, answered: (error: grpc.ServiceError | null, reply: unknown) => void): void;
      Watch(request: object): grpc.ClientReadableStream<Watched>;
    };
    const check = (request: object) =>
      new Promise((resolve, reject) => {
        Check.call(client, request, (error, reply) => (error ? reject(error) : resolve(reply)));
      });
    expect(await check({ service })).toEqual({ status: "SERVING" });
    await expect(check({ service: "another" })).rejects.toMatchObject({ code: grpc.status.NOT_FOUND });

    const watched: string[] = [];
    const watch = Watch.call(client, { service });
    const ended = new Promise<void>((resolve) => watch.on("error", () => resolve()));
    const received = new Promise<void>((resolve) => {
      watch.on("data", ({ status }: Watched) => {
        watched.push(status);
        resolve();
      });
    });
    await received;
    await server.stop(0);
    await ended;
    expect(watched).toEqual(["SERVING", "NOT_SERVING"]);
  });
});

describe.each(services)("%s", (name, service) => {
  test.each(reflectionVersions)(
    "is listed, described and called with nothing but reflection %s",
    async (version, known) => {
      const address = await started(service);
      const reflection = clientOf(known, `grpc.reflection.${version}.ServerReflection`, address);
      const list = await ask(reflection.ServerReflectionInfo(), { listServices: "" });
      const health = "grpc.health.v1.Health";
      expect(list.listServicesResponse?.service.map((listed) => listed.name)).toEqual([name, health]);

      const described = async (symbol: string) => {
        const files = await ask(reflection.ServerReflectionInfo(), { fileContainingSymbol: symbol });
        const set = descriptorSet(files.fileDescriptorResponse?.fileDescriptorProto ?? []);
        return clientOf(loadFileDescriptorSetFromBuffer(set, { longs: Number, enums: String }), symbol, address);
      };
      const probe = await described(health);
      const status = await new Promise((resolve, reject) => {
        probe.Check({ service: name }, (error, answer) => (error ? reject(error) : resolve(answer)));
      });
      expect(status).toEqual({ status: "SERVING" });

      const headers = new grpc.Metadata();
      // As `grpcurl -H` sends it. Only the bazaar's own services require it.
      headers.set("bazaar-messages", "7");
      const client = await described(name);
      if (name === "bazaar.v1.Catalog") {
        const reply = await new Promise((resolve, reject) => {
          client.GetRegister({}, headers, (error, answer) => (error ? reject(error) : resolve(answer)));
        });
        expect(reply).toEqual(register);
      } else {
        expect(await ask(client.GetOrder(headers), { sequence: 1, id: 5 })).toEqual({ sequence: 1, order });
      }
    },
  );
});
