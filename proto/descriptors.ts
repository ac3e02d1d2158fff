/**
 * The `.proto` files, parsed: for gRPC reflection, for `generate.ts` and for the fuzzer. The services themselves use
 * `generated/`.
 */

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type DescriptorProto, type FileDescriptorProto, FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";

/** As reflection takes them: `fileDescriptorProtos` are encoded. */
type Descriptors = Record<string, Pick<MessageTypeDefinition<object, object>, "fileDescriptorProtos">>;

export function loadDescriptors(...others: string[]): Descriptors {
  const encode = (file: FileDescriptorProto) => Buffer.from(toBinary(FileDescriptorProtoSchema, file));
  return Object.fromEntries(loadFiles(...others).map((file) => [file.name, { fileDescriptorProtos: [encode(file)] }]));
}

/** Parses our own files and those at `others`. There is one descriptor for each package: proto-loader merges its files. */
export function loadFiles(...others: string[]): FileDescriptorProto[] {
  const definitions = loadSync(["catalog.proto", "orders.proto", ...others], { includeDirs: [import.meta.dirname] });
  const files = new Map<string, FileDescriptorProto>();
  for (const { fileDescriptorProtos = [] } of Object.values(definitions) as Partial<Descriptors[string]>[]) {
    for (const bytes of fileDescriptorProtos) {
      const file = fromBinary(FileDescriptorProtoSchema, bytes);
      files.set(file.name, file);
    }
  }
  return [...files.values()].map(withStrictNames);
}

/**
 * Strict tools refuse what proto-loader makes: types of fields without their packages, the entries of a map under
 * another name than protoc's, and ranges of reserved numbers that end one number too early. Changes `file`.
 */
function withStrictNames(file: FileDescriptorProto): FileDescriptorProto {
  const messages: [name: string, message: DescriptorProto][] = [];
  const collect = (scope: string, found: readonly DescriptorProto[]) => {
    for (const message of found) {
      messages.push([`${scope}.${message.name}`, message]);
      collect(`${scope}.${message.name}`, message.nestedType);
    }
  };
  collect(`.${file.package}`, file.messageType);
  const types = new Set(file.enumType.map(({ name }) => `.${file.package}.${name}`));
  const entries = new Set<string>();
  for (const [name, { enumType, options }] of messages) {
    types.add(name);
    if (options?.mapEntry) entries.add(name);
    for (const inner of enumType) types.add(`${name}.${inner.name}`);
  }
  for (const [name, message] of messages) {
    for (const field of message.field) {
      if (field.typeName === "") continue;
      if (!field.typeName.startsWith(".")) {
        let scope = name;
        while (scope !== "" && !types.has(`${scope}.${field.typeName}`)) scope = scope.slice(0, scope.lastIndexOf("."));
        field.typeName = `${scope}.${field.typeName}`;
      }
      if (entries.has(field.typeName)) field.typeName += "Entry";
    }
    if (entries.has(name)) message.name += "Entry";
    for (const range of message.reservedRange) range.end += 1;
  }
  return file;
}
