/**
 * Records with strace what a process writes to its database and syncs, so that a test can build the files as a power cut at
 * any moment would leave them (`disk.ts`).
 */

import { basename, dirname } from "node:path";

/** One call on a database's files; `file` is a name in their folder. */
export type Call =
  | { readonly kind: "create" | "remove"; readonly file: string; readonly atMs: number }
  | {
      readonly kind: "write";
      readonly file: string;
      readonly atMs: number;
      readonly offset: number;
      readonly data: Buffer;
    }
  | { readonly kind: "truncate"; readonly file: string; readonly atMs: number; readonly size: number }
  | { readonly kind: "sync"; readonly file: string; readonly atMs: number }
  | { readonly kind: "sync-folder"; readonly atMs: number };

/** The reason why strace can't be used; `undefined` if it can. */
export function whyNotTraced(): string | undefined {
  const tried = ((): boolean => {
    try {
      return Bun.spawnSync(["strace", "-o", "/dev/null", "-D", "true"], { stdio: ["ignore", "ignore", "ignore"] })
        .success;
    } catch {
      return false;
    }
  })();
  return tried ? undefined : "strace must be installed and allowed to trace (Debian's package strace)";
}

/** A prefix of the command to trace. The command keeps its process id and its parent. */
export function tracing(output: string): string[] {
  const calls = "openat,pwrite64,write,writev,pwritev,ftruncate,fsync,fdatasync,unlink,unlinkat,rename,renameat2";
  // -xx: every text as hexadecimal digits. -s: longer than a page.
  return [
    "strace",
    "-D",
    "-f",
    "-y",
    "-ttt",
    "--seccomp-bpf",
    "-xx",
    "-s",
    "70000",
    "-e",
    `trace=${calls}`,
    "-o",
    output,
  ];
}

/** The calls on a database and its log that succeeded, in their order. The time is that of the call's begin. */
export function callsOn(database: string, trace: string): Call[] {
  const files = new Set([database, `${database}-wal`]);
  const begun = new Map<string, string>();
  return trace.split("\n").flatMap((line) => {
    const [, pid = "", atS, rest = ""] = /^(\d+) +(\d+\.\d+) (.*)$/.exec(line) ?? [];
    if (rest.endsWith("<unfinished ...>")) {
      begun.set(pid, `${atS} ${rest.replace(/ *<unfinished \.\.\.>$/, "")}`);
      return [];
    }
    const resumed = /^<\.\.\. \S+ resumed>(.*)$/.exec(rest);
    const [from = "", ...parts] = (begun.get(pid) ?? "").split(" ");
    return resumed
      ? callOf(`${parts.join(" ")}${resumed[1]}`, Number(from) * 1000, files, dirname(database))
      : callOf(rest, Number(atS) * 1000, files, dirname(database));
  });
}

function callOf(text: string, atMs: number, files: ReadonlySet<string>, folder: string): Call[] {
  const [, name, args = "", result] = /^(\w+)\((.*)\) += (-?\d+)/.exec(text) ?? [];
  if (name === undefined || Number(result) < 0) return [];
  // The first text in brackets is the path of the descriptor, the first one in quotes that of a name or the data.
  const path = decoded(/^\d+<([^>]*)>/.exec(args)?.[1]).toString();
  const quoted = decoded(/"([^"]*)"/.exec(args)?.[1]);
  const numbers = args
    .slice(args.lastIndexOf('"') + 1)
    .split(", ")
    .slice(1)
    .map(Number);
  const ofFile = files.has(path);
  const file = basename(path);
  switch (name) {
    case "openat":
      return files.has(quoted.toString()) && args.includes("O_CREAT")
        ? [{ kind: "create", file: basename(quoted.toString()), atMs }]
        : [];
    case "unlink":
      return files.has(quoted.toString()) ? [{ kind: "remove", file: basename(quoted.toString()), atMs }] : [];
    case "ftruncate":
      return ofFile ? [{ kind: "truncate", file, atMs, size: Number(args.split(", ").at(-1)) }] : [];
    case "pwrite64": {
      if (!ofFile) return [];
      const [length = 0, offset = 0] = numbers;
      if (quoted.length !== length || Number(result) !== length)
        throw new Error(`a write must be traced whole: ${text.slice(0, 200)}`);
      return [{ kind: "write", file, atMs, offset, data: quoted }];
    }
    case "fsync":
    case "fdatasync":
      if (path === folder) return [{ kind: "sync-folder", atMs }];
      return ofFile ? [{ kind: "sync", file, atMs }] : [];
    default:
      if (ofFile || files.has(quoted.toString()))
        throw new Error(`a call on a database that isn't simulated: ${text.slice(0, 200)}`);
      return [];
  }
}

function decoded(hexadecimal = ""): Buffer {
  return Buffer.from(hexadecimal.replaceAll("\\x", ""), "hex");
}
