/** Three nodes of PostgreSQL under Patroni, which `examples/patroni/up.sh` starts, and faults of the primary's node. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { freePortsInARow } from "@stock-bazaar/cluster/ports";
import { root } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { onTestFinished } from "vitest";

const script = join(root, "examples/patroni/up.sh");
const ports = 12;
/** Patroni's command takes half a second. */
const pollMs = 500;
const rejoinMsMax = 90_000;
const printedLinesMax = 100;

/** Why the nodes can't run on this machine; `undefined` if they can. */
export function whyNotPatroni(): string | undefined {
  if (process.platform !== "linux") return "the nodes under Patroni need Linux";
  const { success, stderr } = Bun.spawnSync(["sh", script, "--check"], { stdio: ["ignore", "ignore", "pipe"] });
  return success ? undefined : stderr.toString().trim();
}

/** What a fault hits: PostgreSQL's processes, or those of Patroni and etcd on the same node too. */
export type Part = "PostgreSQL" | "node";

interface Member {
  readonly Member: string;
  readonly Role: string;
  readonly State: string;
}

export class PatroniNodes {
  /** Of an empty database, with all three hosts. */
  readonly url: string;
  readonly #folder: string;

  private constructor(url: string, folder: string) {
    this.url = url;
    this.#folder = folder;
  }

  /** Resolves when a primary and two standbys are ready. They end with the test. */
  static async start(): Promise<PatroniNodes> {
    const [first] = await freePortsInARow(ports);
    // Standard input ends with this process, however it ends.
    const until = '"$@" & cat >/dev/null; kill $!; wait $!';
    const nodes = Bun.spawn(["sh", "-c", until, "sh", "sh", script], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, FIRST_PORT: String(first) },
      detached: true,
    });
    let [url, folder] = ["", ""];
    onTestFinished(async ({ task }) => {
      if (task.result?.state === "fail") printLogs(folder);
      await nodes.stdin.end();
      await nodes.exited;
    });
    for await (const line of createInterface({ input: Readable.fromWeb(nodes.stdout) })) {
      folder = /files and logs: (\S+)/.exec(line)?.[1] ?? folder;
      url = /LEDGER_URL=(\S+)/.exec(line)?.[1] ?? url;
      if (url !== "") return new PatroniNodes(url, folder);
    }
    throw new Error(`${script} must print LEDGER_URL (it ended without)`);
  }

  /** The name of the primary's node. */
  async primary(): Promise<string> {
    const leader = (await this.#members()).find(({ Role }) => Role === "Leader");
    if (leader === undefined) throw new Error("a node must be the primary (none is)");
    return leader.Member;
  }

  /** Sends a signal to all processes of a part. Returns a function that sends another one to the same processes. */
  async signal(node: string, part: Part, signal: NodeJS.Signals): Promise<(later: NodeJS.Signals) => void> {
    const folder = join(this.#folder, node);
    const [postmaster = ""] = readFileSync(join(folder, "data/postmaster.pid"), "utf8").split("\n");
    const listing = Bun.spawn(["ps", "-o", "pid=", "--ppid", postmaster], { stdout: "pipe" });
    const backends = (await listing.stdout.text()).trim().split(/\s+/);
    const others = part === "node" ? ["patroni.pid", "etcd.pid"] : [];
    const pids = [
      ...others.map((name) => readFileSync(join(folder, name), "utf8")),
      // Before its backends, which it would replace.
      postmaster,
      ...backends,
    ].map(Number);
    const send = (name: NodeJS.Signals) => {
      for (const pid of pids) sendTo(pid, name);
    };
    send(signal);
    return send;
  }

  /** Resolves when three nodes run again, two of them as standbys that follow, one of these synchronously. */
  async whole(): Promise<void> {
    const states = async () => (await this.#members()).map(({ Role, State }) => `${Role} ${State}`).toSorted();
    const wanted = ["Leader running", "Replica running", "Sync Standby running"];
    let last: readonly string[] = [];
    await eventually(
      "three nodes run under Patroni",
      async () => {
        last = await states();
        return last.join() === wanted.join();
      },
      { timeoutMs: rejoinMsMax, pollMs },
    ).catch((error: unknown) => {
      throw new Error(`the nodes must be ${wanted.join(", ")} (got ${last.join(", ")})`, { cause: error });
    });
  }

  async #members(): Promise<Member[]> {
    const file = join(this.#folder, "node-1/patroni.yml");
    const list = Bun.spawn(["patronictl", "-c", file, "list", "--format", "json"], {
      stdout: "pipe",
      stderr: "ignore",
    });
    return JSON.parse(await list.stdout.text()) as Member[];
  }
}

/** What Patroni and PostgreSQL of each node have logged last. */
function printLogs(folder: string): void {
  if (folder === "") return;
  for (const node of ["node-1", "node-2", "node-3"]) {
    const lines = readFileSync(join(folder, node, "patroni.log"), "utf8")
      .trim()
      .split("\n");
    process.stderr.write(`--- ${node}, last of ${lines.length} lines\n${lines.slice(-printedLinesMax).join("\n")}\n`);
  }
}

/** Patroni may have ended a process of PostgreSQL meanwhile. */
function sendTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
