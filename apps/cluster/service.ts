/**
 * One process of the bazaar, started as a person would: `bun apps/<service>/main.ts` with an environment. It can be
 * killed, frozen and restarted, and its output is kept for the analysis of failures.
 */

import { resolve } from "node:path";
import { bunCommand, bunCommandOf } from "@stock-bazaar/process/bun-command";
import { type Exit, exitOf, type Launched, launch } from "@stock-bazaar/process/launch";
import { within } from "./wait.ts";

export const root = resolve(import.meta.dirname, "../..");

const linesMax = 2000;

/** Where `npm run setup` installs the Bun of a checkout. */
export function bunOf(checkout: string): string {
  return resolve(checkout, "node_modules/.bin/bun");
}

export interface StartOptions {
  /** Limit on the size of each file, rounded up to 512 bytes, which acts like a disk that is nearly full. */
  readonly fileBytesMax?: number;
  /** Variables in addition to the service's own, for this start only. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The root of another workspace, whose program is started this time. */
  readonly checkout?: string | undefined;
}

export class Service {
  readonly name: string;
  readonly #commandIn: (checkout: string | undefined) => readonly string[];
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #supervised: boolean;
  readonly #cwd: string;
  #lines: string[] = [];
  /** Index in `#lines` of the first line since the last start. */
  #firstLine = 0;
  #child: Launched<"pipe"> | undefined;
  #read: Promise<unknown> = Promise.resolve();

  /**
   * `script` is relative to the root of the workspace, which is also the default of `cwd`. A supervised process ends
   * with this process, however that one ends. `checkout` is the root of another workspace, which has its own Bun. `via`
   * is a command that replaces itself with the one that follows it, like `nsenter`.
   */
  constructor(
    name: string,
    script: string,
    options: {
      environment: Readonly<Record<string, string | undefined>>;
      args?: readonly string[];
      supervised?: boolean;
      cwd?: string;
      checkout?: string;
      via?: readonly string[];
    },
  ) {
    const { checkout, args = [], via = [] } = options;
    this.name = name;
    this.#commandIn = (other = checkout) => [
      ...via,
      ...(other === undefined
        ? bunCommand(resolve(root, script), ...args)
        : bunCommandOf(bunOf(other), resolve(other, script), ...args)),
    ];
    this.#environment = options.environment;
    this.#cwd = options.cwd ?? checkout ?? root;
    this.#supervised = options.supervised ?? true;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && exitOf(this.#child) === undefined;
  }

  /** `undefined` unless it runs. */
  get pid(): number | undefined {
    return this.isRunning ? this.#child?.pid : undefined;
  }

  /** Its output (standard output and standard error) since the first start. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Its output since the last start. */
  get newLines(): readonly string[] {
    return this.#lines.slice(this.#firstLine);
  }

  /** How it ended; `undefined` while it runs, and before the first start. */
  get exit(): Exit | undefined {
    return this.#child && exitOf(this.#child);
  }

  /** Starts the process. Returns before it is ready. */
  start({ fileBytesMax, environment, checkout }: StartOptions = {}): void {
    if (this.isRunning) throw new Error(`${this.name} must not be started twice (it runs already)`);
    const limit = fileBytesMax === undefined ? [] : limited(fileBytesMax);
    const child = launch({
      name: this.name,
      command: [...limit, ...this.#commandIn(checkout)],
      environment: { PATH: process.env.PATH, HOME: process.env.HOME, ...this.#environment, ...environment },
      output: "pipe",
      cwd: this.#cwd,
      supervised: this.#supervised,
    });
    this.#child = child;
    this.#firstLine = this.#lines.length;
    this.#read = Promise.all([this.#keepLines(child.stdout), this.#keepLines(child.stderr)]);
  }

  /** Sends SIGTERM or another signal. Resolves when the process has ended and its output is complete. */
  async stop(signal: "SIGTERM" | "SIGINT" | "SIGHUP" | "SIGKILL" = "SIGTERM"): Promise<Exit> {
    this.#child?.kill(signal);
    return this.ended();
  }

  /** kill -9: the process can't finish or log anything. */
  kill(): Promise<Exit> {
    return this.stop("SIGKILL");
  }

  /** SIGSTOP: the process and its connections stay, but it does nothing. */
  freeze(): void {
    this.#child?.kill("SIGSTOP");
  }

  thaw(): void {
    this.#child?.kill("SIGCONT");
  }

  /** Resolves when the process has ended. Sends it no signal. */
  async ended(): Promise<Exit> {
    if (!this.#child) throw new Error(`${this.name} must be started before it can end (it never was)`);
    await within(`the end of ${this.name}`, this.#child.exited);
    // A killed process may leave children that hold its output open, so this doesn't wait long for the rest.
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

/** The prefix of a command with a limit on the size of files; POSIX counts it in blocks of 512 bytes. */
function limited(fileBytesMax: number): string[] {
  return ["sh", "-c", 'ulimit -f "$0" && exec "$@"', String(Math.ceil(fileBytesMax / 512))];
}
