/** Many seeds, on as many processes as there are cores, with the rules as they are or with one taken away. */

import { availableParallelism } from "node:os";
import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import type { Run } from "./simulate.ts";

export interface Assignment {
  /** Without them, the directed cases. */
  readonly seeds: { readonly first: number; readonly last: number; readonly step: number } | undefined;
  /** The name of the rule that is taken away. */
  readonly mutation: string | undefined;
}

export interface SeedsOptions {
  readonly first: number;
  readonly count: number;
  readonly mutation?: string | undefined;
  readonly jobs?: number;
  /** Hears of each run; what it returns says whether to go on. */
  readonly ran: (run: Run) => boolean;
}

export interface DirectedResult {
  readonly title: string;
  readonly violations: readonly string[];
}

/** Runs the seeds from `first` on. Rejects if a process fails otherwise than by telling of a violation. */
export async function runSeeds({
  first,
  count,
  mutation,
  jobs = availableParallelism(),
  ran,
}: SeedsOptions): Promise<void> {
  const last = first + count - 1;
  const workers = Array.from({ length: Math.min(jobs, count) }, (_, index) =>
    startWorker({ seeds: { first: first + index, last, step: jobs }, mutation }),
  );
  const goesOn = (line: unknown) => {
    const more = ran(line as Run);
    if (!more) for (const { stop } of workers) stop();
    return more;
  };
  await Promise.all(workers.map(({ lines }) => lines(goesOn)));
}

export async function runDirected(mutation?: string): Promise<DirectedResult[]> {
  const results: DirectedResult[] = [];
  await startWorker({ seeds: undefined, mutation }).lines((line) => results.push(line as DirectedResult) > 0);
  return results;
}

function startWorker(assignment: Assignment) {
  const worker = Bun.spawn(bunCommand(join(import.meta.dirname, "worker.ts"), JSON.stringify(assignment)), {
    stdout: "pipe",
    stderr: "pipe",
  });
  const complaint = new Response(worker.stderr).text();
  let isStopped = false;
  const stop = () => {
    isStopped = true;
    worker.kill("SIGKILL");
  };
  return {
    stop,
    /** Until `take` says that it has had enough. */
    async lines(take: (line: unknown) => boolean): Promise<void> {
      const decoder = new TextDecoder();
      let rest = "";
      for await (const chunk of worker.stdout) {
        const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (!isStopped && !take(JSON.parse(line))) stop();
      }
      const code = await worker.exited;
      if (code !== 0 && !isStopped) throw new Error(`a simulation ended with ${code}: ${await complaint}`);
    },
  };
}
