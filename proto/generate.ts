/**
 * Writes `generated/`: the messages and services of the `.proto` files as TypeScript, each with its codec. Run by
 * `npm run generate`.
 *
 * ts-proto is a plugin of protoc. Here proto-loader parses the files, so that protoc isn't needed.
 */

import { rm } from "node:fs/promises";
import { join } from "node:path";
import { CodeGeneratorRequest, CodeGeneratorResponse, FileDescriptorProto } from "ts-proto-descriptors";
import { loadDescriptors } from "./descriptors.ts";

const parameter = [
  "outputServices=grpc-js",
  "outputClientImpl=false",
  "outputJsonMethods=false",
  "outputPartialMethods=false",
  "stringEnums=true",
  "enumsAsLiterals=true",
  "unrecognizedEnum=false",
  "esModuleInterop=true",
  "importSuffix=.ts",
  "useOptionals=messages",
  "annotateFilesWithVersion=false",
].join(",");

const directory = import.meta.dirname;
const name = "bazaar.proto";
const [bytes] = Object.values(loadDescriptors()).flatMap(({ fileDescriptorProtos }) => fileDescriptorProtos);
if (!bytes) throw new Error("the .proto files must define messages (found none)");
const protoFile = Object.assign(FileDescriptorProto.decode(bytes), { name, syntax: "proto3" });
const request = CodeGeneratorRequest.fromPartial({ fileToGenerate: [name], parameter, protoFile: [protoFile] });
const plugin = Bun.spawn([process.execPath, ...process.execArgv, "--bun", "protoc-gen-ts_proto"], {
  cwd: directory,
  stdio: [CodeGeneratorRequest.encode(request).finish(), "pipe", "inherit"],
});
const response = CodeGeneratorResponse.decode(new Uint8Array(await new Response(plugin.stdout).arrayBuffer()));
if ((await plugin.exited) !== 0 || response.error !== "") throw new Error(response.error || "the generator failed");

await rm(join(directory, "generated"), { recursive: true, force: true });
for (const { name, content } of response.file) await Bun.write(join(directory, "generated", name), content);
