/**
 * Connects to PostgreSQL: the only module that imports pg.
 *
 * A connection sets itself what durability and order depend on, whatever the server's defaults are. Every query has a
 * deadline. A connection that missed one is thrown away: nothing is known of what it still does.
 */

import pg from "pg";
import { applicationName, type ConnectionUse } from "./connection-use.ts";
import { messageOf, sqlState } from "./sql-state.ts";

/** How long a connection attempt may take, for each host. */
const connectMsMax = 2000;
/** The server's function that warns when a COMMIT that was done stops waiting for its standby. Its text is translated. */
const waitForStandby = "SyncRepWaitForLSN";
/** The oldest server that the ledger was tried on, as `server_version_num` counts. */
const versionMin = 12_00_00;
/** The server's numbers of two types. */
const [bool, int8] = [16, 20];

/** A query. One with a name is prepared once on each connection. */
export interface Statement {
  readonly text: string;
  readonly name?: string;
}

export type Value = string | number | null | readonly string[] | readonly number[];

/** A statement with its values. */
export type Write = readonly [Statement, readonly Value[]];

export interface Result<Row> {
  readonly rows: Row[];
  /** The number of rows that it returned or changed. */
  readonly count: number;
  /** What was done, such as `COMMIT`. A COMMIT of a failed transaction does `ROLLBACK`. */
  readonly command: string;
}

/** The server was reached, but can't be used for this. */
export class RefusedServer extends Error {}

/** There is no connection to the server. */
export class UnreachableServer extends Error {}

/** A connection to a ledger's database. */
export interface Connection {
  /** True once it can't be used any more. */
  readonly isLost: boolean;
  /**
   * Sends a query at once. Queries are answered in the order in which they were sent: several that are sent without waiting
   * take one round trip. Rejects, and loses the connection, if something was committed without its synchronous standby.
   */
  query<Row extends object = object>(statement: Statement, values?: readonly Value[]): Promise<Result<Row>>;
  /** Runs SQL of any number of statements. */
  run(sql: string): Promise<void>;
  /** Throws it away without waiting for anything. */
  abandon(): void;
  close(): Promise<void>;
}

/** Opens a connection. */
export type Connect = (use: ConnectionUse) => Promise<Connection>;

class PgConnection implements Connection {
  readonly #client: pg.Client;
  #isLost = false;
  /** Something was committed that the synchronous standby may lack: a failover may lose it. */
  #isUnreplicated = false;

  constructor(client: pg.Client) {
    this.#client = client;
    client.on("error", () => {
      this.#isLost = true;
    });
    client.on("end", () => {
      this.#isLost = true;
    });
    // The COMMIT then counts as done: its answer follows.
    client.on("notice", ({ routine }) => {
      if (routine !== waitForStandby) return;
      this.#isUnreplicated = true;
      this.abandon();
    });
  }

  get isLost(): boolean {
    return this.#isLost;
  }

  async query<Row extends object = object>(
    { name, text }: Statement,
    values: readonly Value[] = [],
  ): Promise<Result<Row>> {
    const query = { text, values: [...values], ...(name !== undefined && { name }) };
    try {
      const { rows, rowCount, command } = await this.#client.query<Row>(query);
      if (this.#isUnreplicated) throw unreplicated();
      return { rows, count: rowCount ?? 0, command };
    } catch (error) {
      if (this.#isUnreplicated) throw unreplicated();
      // Whatever the error of a broken connection is called.
      throw this.#isLost && sqlState(error) === "" ? unreachable(error) : error;
    }
  }

  async run(sql: string): Promise<void> {
    await this.#client.query(sql);
    if (this.#isUnreplicated) throw unreplicated();
  }

  abandon(): void {
    this.#isLost = true;
    void this.#client.end().catch(() => {});
    destroyStream(this.#client);
  }

  async close(): Promise<void> {
    if (this.#isLost) return;
    this.#isLost = true;
    await this.#client.end();
  }
}

/** Connects to the host of a URL. Rejects with a RefusedServer if it doesn't fit. */
export async function connectToHost(url: string, { writes, queryMsMax, settings }: ConnectionUse): Promise<Connection> {
  const client = newClient(url, queryMsMax);
  const connection = new PgConnection(client);
  try {
    await client.connect();
    const [names, values] = [Object.keys(settings), Object.values(settings)];
    const asked = connection.query<ServerState>({
      text: `SELECT pg_is_in_recovery() AS standby, current_setting('default_transaction_read_only') AS "readOnly",
        current_setting('server_encoding') AS encoding, current_setting('server_version') AS version,
        current_setting('server_version_num')::bigint AS "versionNumber"`,
    });
    const set = connection.query(
      {
        text: `SELECT set_config(name, value, false) FROM unnest($1::text[], $2::text[]) AS wanted (name, value)
          WHERE current_setting(name, true) IS NOT NULL`,
      },
      [names, values],
    );
    // An old server may refuse the second: then its version is the reason to tell.
    set.catch(() => {});
    requireUsable((await asked).rows[0], writes);
    await set;
    return connection;
  } catch (error) {
    connection.abandon();
    throw error instanceof RefusedServer || sqlState(error) !== "" ? error : unreachable(error);
  }
}

function unreplicated(): RefusedServer {
  return new RefusedServer(
    "the server must wait for its synchronous standby (it was told not to): what was written may be lost by a failover",
  );
}

interface ServerState {
  readonly standby: boolean;
  readonly readOnly: string;
  readonly encoding: string;
  readonly version: string;
  readonly versionNumber: number;
}

function requireUsable(server: ServerState | undefined, writes: boolean): void {
  if (server === undefined) throw new RefusedServer("the server must report its settings (got none)");
  const { standby, readOnly, encoding, version, versionNumber } = server;
  if (versionNumber < versionMin)
    throw new RefusedServer(`the server must be PostgreSQL ${versionMin / 10_000} or later (got ${version})`);
  if (writes && standby)
    throw new RefusedServer("the server is a standby, which refuses writes: name the primary in LEDGER_URL");
  if (writes && readOnly === "on")
    throw new RefusedServer("the server refuses writes: default_transaction_read_only must be off (got on)");
  if (encoding !== "UTF8") throw new RefusedServer(`the database's encoding must be UTF8 (got ${encoding})`);
}

/** Rejects a URL whose parameters can't be used, for example with a certificate's file that is missing. */
function newClient(url: string, queryMsMax: number): pg.Client {
  // sslmode then means what it means to psql. Otherwise pg takes `require` for `verify-full`, and warns of that.
  const psqlLike = `${url}${url.includes("?") ? "&" : "?"}uselibpqcompat=true`;
  try {
    return new pg.Client({
      connectionString: psqlLike,
      application_name: applicationName,
      connectionTimeoutMillis: connectMsMax,
      query_timeout: queryMsMax,
      keepAlive: true,
      pipeline: true,
      types: { getTypeParser },
    });
  } catch (error) {
    throw new RefusedServer(messageOf(error), { cause: error });
  }
}

function unreachable(error: unknown): Error {
  const text = messageOf(error);
  // An error of pg itself, before the server has seen a password.
  if (text.includes("password must be a string"))
    return new RefusedServer("the server asks for a password: add it to LEDGER_URL", { cause: error });
  return new UnreachableServer(text === "timeout expired" ? `no answer in ${connectMsMax} ms` : text, { cause: error });
}

/** The values of a ledger are whole numbers of 64 bits, which arrive as text, texts and truth values. */
function getTypeParser(type: number): (text: string) => unknown {
  if (type === int8) return wholeNumber;
  return type === bool ? (text) => text === "t" : (text) => text;
}

/** All numbers of a ledger are exact as a double. */
function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`a number must be at most 2^53 - 1 (got ${text})`);
  return value;
}

/** pg ends a connection only after its queries: one that hangs must go at once. */
function destroyStream(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } };
  connection.stream.destroy();
}
