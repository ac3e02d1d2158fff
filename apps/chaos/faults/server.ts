/**
 * What can happen to the PostgreSQL server of the ledger: it dies, freezes, restarts, loses its sessions, or has no
 * connection, no room or no unlocked register left for the catalogs. Afterwards it works again, and no catalog has ended.
 */

import { chownSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountSmallDisk } from "@stock-bazaar/cluster/small-disk";
import { eventually } from "@stock-bazaar/cluster/wait";
import type { LedgerServer } from "../ledger-server.ts";
import type { Fault, Scene } from "./fault.ts";
import type { FaultName } from "./names.ts";
import { endSessions, ledgerUrlOf, onServer, sessionsOf, takeAllConnections } from "./on-server.ts";
import { lockLedger } from "./stored-ledger.ts";
import { serverName } from "./targets.ts";

/** A query's deadline is two seconds. */
const short = [20, 450] as const;
const beforeTheDeadline = [600, 1500] as const;
const pastTheDeadline = [2500, 4000] as const;
const timeoutMs = 20_000;

interface Disturbance {
  readonly name: FaultName;
  readonly does: string;
  readonly holdMs?: Fault["holdMs"];
  /** Does the damage. Resolves with what mends it. */
  readonly disturb: (server: LedgerServer, scene: Scene & { readonly url: string }) => Promise<() => Promise<void>>;
}

function disturbing({ name, does, holdMs = [short, beforeTheDeadline], disturb }: Disturbance): Fault {
  return {
    name,
    does,
    needsServer: true,
    holdMs,
    async inflict(scene) {
      const { server } = scene;
      if (server === undefined) throw new Error(`${name} needs a server (the ledger is a file)`);
      await scene.alone([serverName], async () => {
        const mend = await disturb(server, { ...scene, url: ledgerUrlOf(scene.cluster) });
        try {
          await scene.hold();
        } finally {
          await mend();
        }
      });
    },
  };
}

export const serverFaults: readonly Fault[] = [
  disturbing({
    name: "kill-server",
    does: "kills PostgreSQL's postmaster, and starts it again when its sessions have ended",
    async disturb(server) {
      await server.end("SIGKILL");
      return server.start;
    },
  }),
  disturbing({
    name: "restart-server",
    does: "restarts PostgreSQL in its fast mode, which ends every session",
    async disturb(server) {
      await server.end("SIGINT");
      return server.start;
    },
  }),
  disturbing({
    name: "freeze-server",
    does: "freezes all processes of PostgreSQL",
    holdMs: [short, beforeTheDeadline, pastTheDeadline],
    async disturb(server) {
      await server.freeze();
      return server.thaw;
    },
  }),
  disturbing({
    name: "freeze-sessions",
    does: "freezes the sessions that PostgreSQL has with the catalogs; others can begin",
    holdMs: [short, beforeTheDeadline, pastTheDeadline],
    async disturb(_server, { url }) {
      const pids = await sessionsOf(url);
      signalAll(pids, "SIGSTOP");
      return async () => signalAll(pids, "SIGCONT");
    },
  }),
  disturbing({
    name: "kill-session",
    does: "kills one session of PostgreSQL, which then ends all others and recovers",
    async disturb(_server, { url, choice }) {
      const pids = await sessionsOf(url);
      signalAll(pids.slice(Math.floor(choice * pids.length)).slice(0, 1), "SIGKILL");
      return () => answers(url);
    },
  }),
  disturbing({
    name: "end-sessions",
    does: "ends PostgreSQL's sessions with the catalogs, twice",
    async disturb(_server, { url }) {
      const end = () => onServer(url, (connection) => endSessions(connection, url));
      await end();
      return end;
    },
  }),
  disturbing({
    name: "take-connections",
    does: "ends PostgreSQL's sessions with the catalogs, and takes every connection that it accepts",
    holdMs: [beforeTheDeadline, pastTheDeadline],
    disturb: (_server, { url }) => takeAllConnections(url),
  }),
  disturbing({
    name: "lock-register",
    does: "locks the register's row from another session",
    holdMs: [short, beforeTheDeadline, pastTheDeadline],
    disturb: (_server, { cluster, signal }) =>
      eventually("the register can be locked", () => lockLedger(cluster), { timeoutMs, signal }),
  }),
  {
    ...disturbing({
      name: "fill-server-disk",
      does: "moves the ledger's orders to a small disk of PostgreSQL, fills it, and moves them back",
      holdMs: [beforeTheDeadline],
      disturb: (_server, { url }) => onFullDisk(url),
    }),
    needsMounts: true,
  },
];

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}

async function answers(url: string): Promise<void> {
  await eventually("PostgreSQL answers", () => onServer(url, async () => true), { timeoutMs });
}

/**
 * Moves the orders and rejections to a tablespace on a disk that is full; other tables stay, because they don't grow. Returns
 * what moves them back. The machine must be able to mount a disk.
 */
export async function onFullDisk(url: string): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), "stock-bazaar-tablespace-"));
  const disk = mountSmallDisk(folder);
  if (!disk) throw new Error("a file system in memory must be mounted (the machine refused)");
  const space = `small_${crypto.randomUUID().replaceAll("-", "")}`;
  const unmount = () => {
    disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  };
  const moveTo = (name: string) => `
    ALTER TABLE ledger SET TABLESPACE ${name}; ALTER INDEX ledger_pkey SET TABLESPACE ${name};
    ALTER INDEX ledger_key SET TABLESPACE ${name}; ALTER TABLE rejections SET TABLESPACE ${name}`;
  // Within a transaction, so that all of them are moved or none.
  const move = (name: string) => onServer(url, (connection) => connection.run(moveTo(name))).then(() => true);
  try {
    await onServer(url, async (connection) => {
      const { rows } = await connection.query<{ files: string }>({
        text: "SELECT current_setting('data_directory') AS files",
      });
      const { uid, gid } = statSync(rows[0]?.files ?? "");
      chownSync(folder, uid, gid);
      await connection.run(`CREATE TABLESPACE ${space} LOCATION '${folder}'`);
    });
    await eventually("the orders are on the small disk", () => move(space), { timeoutMs });
    disk.fill();
  } catch (error) {
    unmount();
    throw error;
  }
  return async () => {
    disk.free();
    await eventually("the orders are back", () => move("pg_default"), { timeoutMs });
    await onServer(url, (connection) => connection.run(`DROP TABLESPACE ${space}`));
    unmount();
  };
}
