/** Runs many seeds or the directed cases in worker processes, with all rules or with one removed. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import type { Run } from "./simulate.ts";

export interface Assignment {
  /** `undefined` for the directed cases. */
  readonly seeds: { readonly first: number; readonly last: number; readonly step: number } | undefined;
  /** The number of ledgers beside each other; `undefined` for one. */
  readonly partitions: number | undefined;
  /** The mutation to install; `undefined` for none. */
  readonly mutation: string | undefined;
}

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  readonly partitions?: number | undefined;
  readonly mutation?: string | undefined;
  readonly jobs?: number;
  /** Receives each run. Returns false to end the others. */
  readonly ran: (run: Run) => boolean;
}

export interface DirectedResult {
  readonly title: string;
  readonly violations: readonly string[];
}

/** Runs the seeds from `first` on. Rejects if a worker process fails; a violation is not a failure. */
export async function runSeeds({
  first,
  count,
  partitions,
  mutation,
  jobs = availableParallelism(),
  ran,
}: SeedsOptions): Promise<void> {
  const last = first + count - 1;
  const workers = Array.from({ length: Math.min(jobs, count) }, (_, index) =>
    startWorker({ seeds: { first: first + index, last, step: jobs }, partitions, mutation }),
  );
  const take = (line: unknown) => {
    const more = ran(line as Run);
    if (!more) for (const { stop } of workers) stop();
    return more;
  };
  await Promise.all(workers.map(({ lines }) => lines(take)));
}

export async function runDirected(mutation?: string): Promise<DirectedResult[]> {
  const results: DirectedResult[] = [];
  await startWorker({ seeds: undefined, partitions: undefined, mutation }).lines(
    (line) => results.push(line as DirectedResult) > 0,
  );
  return results;
}

function startWorker(assignment: Assignment) {
  const worker = Bun.spawn(bunCommand(join(import.meta.dirname, "worker.ts"), JSON.stringify(assignment)), {
    stdout: "pipe",
    stderr: "pipe",
  });
  const errors = new Response(worker.stderr).text();
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    worker.kill("SIGKILL");
  };
  return {
    stop,
    /** Passes each line to `take` until it returns false. Rejects if the worker exits with an error before that. */
    async lines(take: (line: unknown) => boolean): Promise<void> {
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of worker.stdout) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (!isStopped && !take(JSON.parse(line))) stop();
      }
      const code = await worker.exited;
      if (code !== 0 && !isStopped) throw new Error(`a simulation's process exited with code ${code}: ${await errors}`);
    },
  };
}
