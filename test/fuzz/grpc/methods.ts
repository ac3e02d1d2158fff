/** The methods of the services as `proto/` declares them: a new method or field is fuzzed without another line here. */

import { loadFiles } from "@stock-bazaar/proto/descriptors";
import { CatalogService, OrdersService } from "@stock-bazaar/proto/generated/bazaar";

/** The numbers of protobuf's own `FieldDescriptorProto`. */
const repeatedLabels: ReadonlySet<number> = new Set([3]);
const fieldTypes: ReadonlyMap<number, Field["type"]> = new Map([
  [4, "uint64"],
  [5, "int32"],
  [8, "bool"],
  [11, "message"],
  [13, "uint32"],
  [14, "enum"],
]);

export interface Field {
  readonly name: string;
  readonly type: "uint64" | "int32" | "uint32" | "bool" | "enum" | "text" | "message";
  readonly isRepeated: boolean;
  /** Of a message. */
  readonly message: MessageFields | undefined;
  /** The names of an enumeration's values. */
  readonly values: readonly string[];
}

export interface MessageFields {
  readonly name: string;
  readonly fields: readonly Field[];
}

export type Fields = Readonly<Record<string, unknown>>;

export interface FuzzedMethod {
  readonly name: string;
  readonly path: string;
  readonly service: "catalog" | "orders";
  readonly request: MessageFields;
  readonly takesStream: boolean;
  /** Both need all fields. */
  readonly encode: (fields: Fields) => Buffer;
  readonly decode: (bytes: Buffer) => Fields;
  readonly decodeReply: (bytes: Buffer) => Fields;
}

/** What grpc-js needs of a method; the codec's types differ from method to method. */
interface Codec {
  readonly path: string;
  readonly requestSerialize: (value: never) => Buffer;
  readonly requestDeserialize: (bytes: Buffer) => unknown;
  readonly responseDeserialize: (bytes: Buffer) => unknown;
}

const files = loadFiles();

function found<Named extends { readonly name: string }>(list: readonly Named[], name: string): Named {
  const entry = list.find((other) => `.bazaar.v1.${other.name}` === name);
  if (entry === undefined) throw new Error(`proto/ must declare ${name} (it doesn't)`);
  return entry;
}

const messageTypes = files.flatMap(({ messageType }) => messageType);
const enumTypes = files.flatMap(({ enumType }) => enumType);

function messageOf(typeName: string): MessageFields {
  const { name, field } = found(messageTypes, typeName);
  return {
    name,
    fields: field.map(({ name, type: number, label, typeName }) => {
      const type = fieldTypes.get(number) ?? "text";
      return {
        name,
        type,
        isRepeated: repeatedLabels.has(label),
        message: type === "message" ? messageOf(typeName) : undefined,
        values: type === "enum" ? found(enumTypes, typeName).value.map((value) => value.name) : [],
      };
    }),
  };
}

function methodsOf(service: FuzzedMethod["service"], name: string, codecs: Readonly<Record<string, Codec>>) {
  const { method } = found(
    files.flatMap((file) => file.service),
    `.bazaar.v1.${name}`,
  );
  return method.map(({ name: called, clientStreaming, inputType }): FuzzedMethod => {
    const path = `/bazaar.v1.${name}/${called}`;
    const codec = Object.values(codecs).find((other) => other.path === path);
    if (codec === undefined) throw new Error(`${path} must have a codec (run npm run generate)`);
    return {
      name: called,
      path,
      service,
      request: messageOf(inputType.startsWith(".") ? inputType : `.bazaar.v1.${inputType}`),
      takesStream: clientStreaming,
      encode: (fields) => codec.requestSerialize(fields as never),
      decode: (bytes) => codec.requestDeserialize(bytes) as Fields,
      decodeReply: (bytes) => codec.responseDeserialize(bytes) as Fields,
    };
  });
}

export const methods: readonly FuzzedMethod[] = [
  ...methodsOf("catalog", "Catalog", CatalogService),
  ...methodsOf("orders", "Orders", OrdersService),
];

export function methodAt(path: string): FuzzedMethod | undefined {
  return methods.find((method) => method.path === path);
}
