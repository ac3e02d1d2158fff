/**
 * Each way in which the ledger's server can't be used, with each command that needs it: one line that says what and what to
 * do, no password, an exit code, within seconds; and nothing is written, neither there nor here.
 */

import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { startTemporaryPair, startTemporaryPostgres } from "@stock-bazaar/bench/embedded-postgres";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { root } from "@stock-bazaar/cluster/service";
import { forReading } from "@stock-bazaar/ledger/postgres/connection-use";
import { connectTo } from "@stock-bazaar/ledger/postgres/hosts";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { afterAll, expect, test } from "vitest";
import { runSql } from "../support/postgres.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { makeTradedDatabases } from "../support/traded-databases.ts";

const cli = (...args: string[]) => bunCommand(join(root, "apps/cli/main.ts"), ...args);
const commands = {
  up: cli("up"),
  catalog: bunCommand(join(root, "apps/catalog/main.ts")),
  "a standby catalog": bunCommand(join(root, "apps/catalog/main.ts")),
  migrate: cli("migrate"),
  seed: cli("seed"),
  verify: cli("verify"),
  import: cli("import", "--stocks", join(root, "db/stocks.csv")),
  "rebuild-catalog": cli("rebuild-catalog"),
} as const;
type Command = keyof typeof commands;
const allCommands = Object.keys(commands) as Command[];

const password = "hunter2";
/** Only turns a hang into a failure: a connection attempt takes two seconds at most. */
const hangsMs = 60_000;

const closers: (() => unknown)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));

async function run(command: Command, ledgerUrl: string, dataDir: string) {
  const [frontEnd = 0, catalog = 0, other = 0, ...replicas] = await freePorts(6);
  const addresses =
    command === "a standby catalog"
      ? { CATALOG_ADDRESSES: `127.0.0.1:${catalog},127.0.0.1:${other}`, CATALOG_LISTEN: `127.0.0.1:${catalog}` }
      : { CATALOG_PORT: String(catalog) };
  const child = Bun.spawn([...commands[command]], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      DATA_DIR: dataDir,
      LEDGER_URL: ledgerUrl,
      FRONTEND_PORT: String(frontEnd),
      ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
      ...addresses,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const late = setTimeout(() => child.kill("SIGKILL"), hangsMs);
  const [exitCode, stdout, stderr] = await Promise.all([child.exited, child.stdout.text(), child.stderr.text()]);
  clearTimeout(late);
  return { exitCode, stdout, stderr };
}

/** A server that isn't PostgreSQL. Returns its port. */
async function listen(greet: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    greet(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A message of PostgreSQL's protocol. */
function message(type: string, body: string): Buffer {
  const head = Buffer.alloc(5, type);
  head.writeInt32BE(Buffer.byteLength(body) + 4, 1);
  return Buffer.concat([head, Buffer.from(body)]);
}

interface Row {
  readonly url: string;
  readonly says: RegExp;
  /** Commands that read no more than there is. */
  readonly except?: readonly Command[];
}

/** The message for an empty database beside replicas with orders, which may be a wrong one. */
const lost =
  /is missing(: correct LEDGER_URL, .* or|, but \S*order-1\.db holds 12 orders:) run `npm run rebuild-catalog`/;

async function cases(): Promise<{
  readonly rows: ReadonlyMap<string, Row>;
  readonly sound: string;
  readonly dataDir: string;
}> {
  const server = await startTemporaryPostgres(["fsync=off"]);
  const [sound, empty, newer, unmigrated, readOnly] = (await Promise.all(
    Array.from({ length: 5 }, () => server.newDatabase()),
  )) as [string, string, string, string, string];
  const dataDir = join(temporaryFolder(), "data");
  for (const [url, folder] of [
    [sound, dataDir],
    ...[newer, unmigrated, readOnly].map((url) => [url, temporaryFolder()]),
  ])
    await makeTradedDatabases(folder ?? "", 12, undefined, url);
  await runSql(newer, "INSERT INTO migrations (number, name) VALUES (99, 'later')");
  await runSql(unmigrated, "DELETE FROM migrations");
  const database = (url: string) => new URL(url).pathname.slice(1);
  await runSql(readOnly, `ALTER DATABASE ${database(readOnly)} SET default_transaction_read_only = on`);
  await runSql(
    sound,
    `CREATE ROLE secret LOGIN PASSWORD 'right'; CREATE ROLE encrypted LOGIN; CREATE ROLE rightless LOGIN;
     CREATE ROLE limited LOGIN CONNECTION LIMIT 0`,
  );
  await runSql(sound, "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const access = await fileOfAccess(sound);
  writeFileSync(
    access,
    `host all secret all scram-sha-256\nhostssl all encrypted all trust\nhost all encrypted all reject\n${readFileSync(access, "utf8")}`,
  );
  await runSql(sound, "SELECT pg_reload_conf()");
  const pair = await startTemporaryPair();
  const standbyPort = Number(/,127\.0\.0\.1:(\d+)\//.exec(pair.url)?.[1]);

  const port = Number(new URL(sound).port);
  const [refused = 0] = await freePorts(1);
  const at = (at: number, { user = "postgres", name = database(sound), parameters = "" } = {}) =>
    `postgres://${user}:${password}@127.0.0.1:${at}/${name}${parameters}`;
  const silent = await listen(() => {});
  const foreign = await listen((socket) => void socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const starting = await listen((socket) =>
    socket.once("data", () =>
      socket.end(message("E", "SFATAL\0VFATAL\0C57P03\0Mthe database system is starting up\0\0")),
    ),
  );
  const old = await listen(answerLike96);
  const noUrl =
    /^LEDGER_URL must be a URL like postgres:\/\/user:password@host:5432\/database, or empty for SQLite \(got "/;
  const rows: Record<string, Row> = {
    "a port where nothing listens": {
      url: at(refused),
      says: /can't be reached: connect ECONNREFUSED 127\.0\.0\.1:\d+: is LEDGER_URL right, and does the server run\?$/,
    },
    "a name that doesn't resolve": {
      url: `postgres://postgres:${password}@no-such-host.invalid/x`,
      says: /can't be reached: getaddrinfo \w+ no-such-host\.invalid: is LEDGER_URL right/,
    },
    "a port that answers nothing": {
      url: at(silent),
      says: /can't be reached: no answer in 2000 ms: is LEDGER_URL right/,
    },
    "several hosts, none of which answers": {
      url: at(refused).replace("@", `@127.0.0.1:${silent},`),
      says: /can't be reached: (no answer in 2000 ms|connect ECONNREFUSED 127\.0\.0\.1:\d+): is LEDGER_URL right/,
    },
    "a port of something else": { url: at(foreign), says: /can't be reached: \S.*: is LEDGER_URL right/ },
    "a wrong password": {
      url: at(port, { user: "secret" }),
      says: /^LEDGER_URL must have a user and a password that the server accepts \(got "postgres:\/\/secret@\S+"\): password authentication failed for user "secret"$/,
    },
    "no password": {
      url: at(port, { user: "secret" }).replace(`:${password}`, ""),
      says: /can't be used: the server asks for a password: add it to LEDGER_URL$/,
    },
    "a user who must encrypt": {
      url: at(port, { user: "encrypted" }),
      says: /^LEDGER_URL must have a user .*no encryption; add \?sslmode=require to it, or allow this$/,
    },
    "encryption that the server lacks": {
      url: at(port, { parameters: "?sslmode=require" }),
      says: /can't be reached: The server does not support SSL connections: is LEDGER_URL right/,
    },
    "a certificate that is missing": {
      url: at(port, { parameters: "?sslmode=verify-full&sslrootcert=/no/such.crt" }),
      says: /can't be used: ENOENT: no such file or directory, open '\/no\/such\.crt'$/,
    },
    "a database that is missing": {
      url: at(port, { name: "none" }),
      says: /^LEDGER_URL must name a database that exists \(got "\S+"\): database "none" does not exist; create it, for example with createdb$/,
    },
    "a user without rights": {
      url: at(port, { user: "rightless" }),
      says: /^LEDGER_URL must name a user that may create and use a schema in the database \(got "\S+"\): permission denied for schema bazaar$/,
    },
    "a user who may create nothing": {
      url: at(port, { user: "rightless", name: database(empty) }),
      says: new RegExp(
        `${lost.source}|^LEDGER_URL must name a user that may create .*: permission denied for database`,
      ),
    },
    "no migration": { url: empty, says: lost, except: ["rebuild-catalog"] },
    "a ledger of a newer version": {
      url: newer,
      says: /was migrated by a newer version of this program \(\d+ migrations, this one has \d+\): update the program$/,
    },
    "a ledger that lacks a migration": {
      url: unmigrated,
      says: /has 0 of \d+ migrations: run `npm run migrate`$/,
      // Its tables exist, so the first migration fails.
      except: ["migrate", "up"],
    },
    "a server that refuses writes": {
      url: readOnly,
      says: /can't be used: the server refuses writes: default_transaction_read_only must be off \(got on\)$/,
      except: ["verify"],
    },
    "a standby": {
      url: at(standbyPort, { name: "ledger" }),
      says: new RegExp(
        `${lost.source}|can't be used: the server is a standby, which refuses writes: name the primary in LEDGER_URL$`,
      ),
    },
    "a server that starts": {
      url: at(starting),
      says: /isn't ready: the database system is starting up: try again when it is$/,
    },
    "a server without a free connection": {
      url: at(port, { user: "limited" }),
      says: /has no connection left: too many connections for role "limited": raise that limit, or end other sessions$/,
    },
    "a server that is too old": {
      url: at(old),
      says: /can't be used: the server must be PostgreSQL 12 or later \(got 9\.6\.24\)$/,
    },
    "another encoding": {
      url: at(port, { name: "latin" }),
      says: /can't be used: the database's encoding must be UTF8 \(got LATIN1\)$/,
    },
    "another scheme": { url: at(port).replace("postgres:", "mysql:"), says: noUrl },
    "a URL without a database": { url: at(port).replace(/\/\w+$/, ""), says: noUrl },
    "a URL with an impossible port": { url: at(99_999), says: noUrl },
  };
  return { rows: new Map(Object.entries(rows)), sound, dataDir };
}

/** Trusts everybody, and answers the first queries of a connection as PostgreSQL 9.6 would. */
function answerLike96(socket: Socket): void {
  socket.once("data", () => {
    socket.write(Buffer.concat([message("R", "\0\0\0\0"), message("Z", "I")]));
    socket.once("data", () => {
      const values = ["f", "off", "UTF8", "9.6.24", "90624"];
      const types = [16, 25, 25, 25, 20];
      const names = ["standby", "readOnly", "encoding", "version", "versionNumber"];
      const count = Buffer.from([0, values.length]).toString("latin1");
      const number = (value: number, bytes: number) => {
        const buffer = Buffer.alloc(bytes);
        buffer.writeUIntBE(value, 0, bytes);
        return buffer.toString("latin1");
      };
      const fields = names.map(
        (name, index) => `${name}\0\0\0\0\0\0\0${number(types[index] ?? 0, 4)}\0\x08\0\0\0\0\0\0`,
      );
      const row = values.map((value) => `${number(value.length, 4)}${value}`);
      socket.write(
        Buffer.concat([
          message("1", ""),
          message("2", ""),
          message("T", `${count}${fields.join("")}`),
          message("D", `${count}${row.join("")}`),
          message("C", "SELECT 1\0"),
          message("Z", "I"),
          message("E", "SERROR\0VERROR\0C42883\0Mthis server knows no more\0\0"),
          message("Z", "I"),
        ]),
      );
    });
  });
}

async function fileOfAccess(url: string): Promise<string> {
  const connection = await connectTo(url, forReading);
  try {
    const { rows } = await connection.query<{ file: string }>({ text: "SELECT current_setting('hba_file') AS file" });
    return rows[0]?.file ?? "";
  } finally {
    await connection.close();
  }
}

test("every command ends with one line that says what to do, and writes nothing", { timeout: 300_000 }, async () => {
  const { rows, sound, dataDir } = await cases();
  const files = databasesIn(dataDir);
  const wrong: object[] = [];
  const tryAll = async ([what, { url, says, except = [] }]: [string, Row]) => {
    const attempt = async (command: Command) => {
      const own = join(temporaryFolder(), "data");
      cpSync(dataDir, own, { recursive: true });
      const ended = await run(command, url, own);
      // `verify` goes on with what it can read, and writes it as its result.
      const lines = `${ended.stdout}${ended.stderr}`.trimEnd().split("\n");
      const told = ended.stdout.startsWith("I1 UNREAD ") ? [(lines[0] ?? "").replace("I1 UNREAD ", "")] : lines;
      const isRight =
        told.length === 1 &&
        says.test(told[0] ?? "") &&
        !lines.some((line) => line.includes(password)) &&
        (ended.exitCode === 1 || ended.exitCode === 2) &&
        databasesIn(own) === files;
      if (!isRight) wrong.push({ what, command, url, ...ended, files: databasesIn(own) });
    };
    // A rebuild needs the ledger for itself, and so does an import.
    const [last, others] = [
      ["rebuild-catalog"],
      allCommands.filter((command) => command !== "rebuild-catalog"),
    ] as const;
    for (const commands of [others, last])
      await Promise.all(commands.filter((command) => !except.includes(command)).map(attempt));
  };
  // Most of them wait: a few at a time.
  const left = rows.entries();
  await Promise.all(
    Array.from({ length: 2 }, async () => {
      for (const row of left) await tryAll(row);
    }),
  );
  expect(wrong).toEqual([]);
  const verified = await run("verify", sound, dataDir);
  expect(verified).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("the ledger's numbers are 1 to 12") });
});

/** Locks stay as empty files. */
function databasesIn(folder: string): string {
  return globSync("*.{db,csv}", { cwd: folder }).toSorted().join();
}
