/** Writes `generated/`: the types of the messages and services. Run by `npm run generate`. */

import { rm } from "node:fs/promises";
import { Glob } from "bun";

const directory = import.meta.dirname;
await rm(`${directory}/generated`, { recursive: true, force: true });
const generator = Bun.spawn(
  [
    process.execPath,
    "--bun",
    "proto-loader-gen-types",
    "--longs=Number",
    "--enums=String",
    "--defaults",
    "--arrays",
    "--grpcLib=@grpc/grpc-js",
    "--targetFileExtension=.ts",
    "--importFileExtension=.ts",
    `--includeDirs=${directory}`,
    `--outDir=${directory}/generated`,
    "catalog.proto",
    "orders.proto",
  ],
  { cwd: directory, stdio: ["ignore", "inherit", "inherit"] },
);
if ((await generator.exited) !== 0) process.exit(1);

// The generator writes absolute paths into its first lines.
for await (const file of new Glob("generated/**/*.ts").scan({ cwd: directory, absolute: true })) {
  const text = await Bun.file(file).text();
  await Bun.write(file, text.replace(/^\/\/ Original file: .*\/(\w+\.proto)$/m, "// From $1"));
}
