/**
 * One process of the bazaar, run as a person would run it: `bun apps/<service>/main.ts` and an environment. It can
 * die, freeze and come back; what it says is kept, for when something fails.
 */

import { resolve } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import { type Exit, exitOf, type Launched, launch } from "@stock-bazaar/process/launch";
import { within } from "./wait.ts";

export const root = resolve(import.meta.dirname, "../..");

const linesMax = 2000;

export interface StartOptions {
  /** No file may grow beyond this, as on a disk that is nearly full: rounded up to 512 bytes. */
  readonly fileBytesMax?: number;
  /** On top of the service's own, until it ends: its next start knows nothing of it. */
  readonly environment?: Readonly<Record<string, string>>;
}

export class Service {
  readonly name: string;
  readonly #command: readonly string[];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #supervised: boolean;
  readonly #cwd: string;
  #lines: string[] = [];
  /** Where in `#lines` its newest life begins. */
  #firstLine = 0;
  #child: Launched<"pipe"> | undefined;
  #read: Promise<unknown> = Promise.resolve();

  /** `script` is relative to the top of the workspace, which is also the default of `cwd`. Supervised: it ends with this process, whatever kills that. */
  constructor(
    name: string,
    script: string,
    options: {
      environment: Readonly<Record<string, string | undefined>>;
      args?: readonly string[];
      supervised?: boolean;
      cwd?: string;
    },
  ) {
    this.name = name;
    this.#command = bunCommand(resolve(root, script), ...(options.args ?? []));
    this.#environment = options.environment;
    this.#cwd = options.cwd ?? root;
    this.#supervised = options.supervised ?? true;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && exitOf(this.#child) === undefined;
  }

  /** While it runs. */
  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  /** What it has said so far, over all its lives, on standard output and standard error. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** What it has said since its last start. */
  get newLines(): readonly string[] {
    return this.#lines.slice(this.#firstLine);
  }

  /** How its last life ended; `undefined` while it runs, and before the first. */
  get exit(): Exit | undefined {
    return this.#child && exitOf(this.#child);
  }

  /** Starts the process; it isn't ready yet. */
  start({ fileBytesMax, environment }: StartOptions = {}): void {
    if (this.isRunning) throw new Error(`${this.name} runs already`);
    const limit = fileBytesMax === undefined ? [] : limited(fileBytesMax);
    const child = launch({
      name: this.name,
      command: [...limit, ...this.#command],
      environment: { PATH: process.env.PATH, HOME: process.env.HOME, ...this.#environment, ...environment },
      output: "pipe",
      cwd: this.#cwd,
      supervised: this.#supervised,
    });
    this.#child = child;
    this.#firstLine = this.#lines.length;
    this.#read = Promise.all([this.#keepLines(child.stdout), this.#keepLines(child.stderr)]);
  }

  /** SIGTERM, or another signal. Resolves when the process has ended and all it said is here. */
  async stop(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL" = "SIGTERM"): Promise<Exit> {
    this.#child?.kill(signal);
    return this.ended();
  }

  /** kill -9: nothing is finished, nothing said. */
  kill(): Promise<Exit> {
    return this.stop("SIGKILL");
  }

  /** The process stays, and its connections too, but it does nothing any more. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Resolves when the process has ended by itself. */
  async ended(): Promise<Exit> {
    if (!this.#child) throw new Error(`${this.name} was never started`);
    await within(`the end of ${this.name}`, this.#child.exited);
    // A killed process may leave children that hold its output open: then what was said so far has to do.
    await Promise.race([this.#read, Bun.sleep(500)]);
    return this.exit ?? { code: null, signal: null };
  }

  async #keepLines(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    let rest = "";
    for await (const chunk of stream) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) this.#keep(line);
    }
    if (rest !== "") this.#keep(rest);
  }

  #keep(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length <= linesMax) return;
    const dropped = this.#lines.length - linesMax / 2;
    this.#lines = this.#lines.slice(dropped);
    this.#firstLine = Math.max(0, this.#firstLine - dropped);
  }
}

/** What to put before a command: POSIX counts the limit in blocks of 512 bytes. */
function limited(fileBytesMax: number): string[] {
  return ["sh", "-c", 'ulimit -f "$0" && exec "$@"', String(Math.ceil(fileBytesMax / 512))];
}
