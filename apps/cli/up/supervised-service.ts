/** One supervised service: its process, and what follows when that ends. */

import { Backoff, type Clock, withDeadline } from "@stock-bazaar/shared/clock";
import { exitSetup } from "@stock-bazaar/shared/errors";
import type { Exit } from "@stock-bazaar/process/launch";
import type { Logger } from "@stock-bazaar/process/log";

export interface ServiceSpec {
  readonly name: string;
  readonly command: readonly string[];
  /** Variables in addition to the supervisor's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly repair?: Repair;
  /** Called when the service refuses to run, but has run before. Rejects if only a person can help. */
  readonly check?: () => Promise<void>;
  /** Receives the service's messages, over a channel of these two processes. Without it there is no channel. */
  readonly onMessage?: (message: unknown, reply: (message: object) => void) => void;
}

/** Restores a lost database, without which a service can't start. */
export interface Repair {
  /** Called before every start. If it rejects, the service is started and reports the cause itself. */
  readonly isDue: () => Promise<boolean>;
  /** Services that must not run meanwhile: they are stopped first, and restarted afterwards. */
  readonly pauses: readonly string[];
  /** Rejects if the repair is impossible: then only a person can help. */
  readonly run: () => Promise<void>;
}

export interface ServiceProcess {
  readonly pid: number;
  /** Resolves when the process reports that it serves: only a service with `onMessage` can. */
  readonly serving: Promise<void>;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** Freezes the process; it is resumed after `forMs`, even if the supervisor has ended. */
  freeze(forMs: number): void;
}

export interface ServiceOptions {
  /** May throw: this counts as a process that died at once. */
  readonly startProcess: (spec: ServiceSpec) => ServiceProcess;
  /** A service that has not stopped after this is killed. */
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The delay before a restart doubles from the first to the maximum. */
const restartFirstMs = 100;
const restartMaxMs = 5000;
/** After a run of at least this, the delay before a restart is the first one again. */
const healthyAfterMs = 10_000;

type ServiceState =
  | { readonly name: "running"; readonly process: ServiceProcess }
  | { readonly name: "waiting"; readonly cancel: () => void }
  /** Until the checks show whether the service may start. */
  | { readonly name: "checking" }
  /** Until the repair has had its turn and is done. */
  | { readonly name: "repairing"; readonly repair: Repair }
  | { readonly name: "ended" };

export class SupervisedService {
  readonly #spec: ServiceSpec;
  readonly #options: ServiceOptions;
  readonly #giveUp: (why: string) => void;
  readonly #repairNext: (service: SupervisedService) => void;
  readonly #backoff = new Backoff(restartFirstMs, restartMaxMs, () => 0);
  #state: ServiceState = { name: "ended" };
  #mayRestart = true;
  /** It has ended without the exit code of a SetupError, so it can run with these settings. */
  #hasRun = false;
  /** The delay before the restart after a requested kill. */
  #awayMs: number | undefined;
  /** A second process that is to follow the running one. */
  #successor: ServiceProcess | undefined;

  constructor(
    spec: ServiceSpec,
    options: ServiceOptions,
    giveUp: (why: string) => void,
    repairNext: (service: SupervisedService) => void,
  ) {
    this.#spec = spec;
    this.#options = options;
    this.#giveUp = giveUp;
    this.#repairNext = repairNext;
  }

  get name(): string {
    return this.#spec.name;
  }

  /** The repair that the service waits for. */
  get repair(): Repair | undefined {
    return this.#state.name === "repairing" ? this.#state.repair : undefined;
  }

  start(): void {
    this.#mayRestart = true;
    const { repair } = this.#spec;
    if (repair) void this.#startUnlessDue(repair);
    else this.#startNow();
  }

  async #startUnlessDue(repair: Repair): Promise<void> {
    const checking = { name: "checking" } as const;
    this.#state = checking;
    const isDue = await repair.isDue().catch(() => false);
    // Meanwhile the service was stopped, and perhaps started once more.
    if (this.#state !== checking) return;
    if (!isDue) return this.#startNow();
    this.#state = { name: "repairing", repair };
    this.#repairNext(this);
  }

  #startNow(): void {
    const { clock, logger, startProcess } = this.#options;
    let process: ServiceProcess;
    try {
      process = startProcess(this.#spec);
    } catch (error) {
      this.#restartLater("could not be started", { error: String(error) });
      return;
    }
    this.#run(process, clock.nowMs());
    logger.info({ child: this.#spec.name, pid: process.pid }, "started");
  }

  #run(process: ServiceProcess, startedAtMs: number): void {
    const state = { name: "running", process } as const;
    this.#state = state;
    void process.exited.then((exit) => {
      // Another process may have followed this one.
      if (this.#state === state) this.#ended(exit, this.#options.clock.nowMs() - startedAtMs);
    });
  }

  kill(awayMs: number): boolean {
    if (this.#state.name !== "running" || !this.#mayRestart) return false;
    this.#options.logger.warn({ child: this.#spec.name, awayMs }, "killed on request");
    this.#awayMs = awayMs;
    this.#state.process.kill("SIGKILL");
    return true;
  }

  freeze(forMs: number): boolean {
    if (this.#state.name !== "running" || !this.#mayRestart) return false;
    this.#options.logger.warn({ child: this.#spec.name, forMs }, "frozen on request");
    this.#state.process.freeze(forMs);
    return true;
  }

  stopRestarting(): void {
    this.#mayRestart = false;
    if (this.#state.name === "waiting") this.#state.cancel();
    if (this.#state.name !== "running") this.#state = { name: "ended" };
  }

  async stop(): Promise<void> {
    this.stopRestarting();
    this.#successor?.kill("SIGKILL");
    if (this.#state.name === "running") await this.#end(this.#state.process);
  }

  /**
   * Starts a second process with these additional variables, and stops the first when the second serves. Rejects if the
   * second one doesn't within `timeoutMs`: then the first one goes on.
   */
  async replace(environment: Readonly<Record<string, string>>, timeoutMs: number): Promise<void> {
    const { clock, logger, startProcess } = this.#options;
    if (this.#state.name !== "running" || this.#successor) throw new Error(`${this.name} doesn't run`);
    const successor = startProcess({ ...this.#spec, environment: { ...this.#spec.environment, ...environment } });
    const startedAtMs = clock.nowMs();
    this.#successor = successor;
    logger.info({ child: this.#spec.name, pid: successor.pid }, "started");
    try {
      const ended = successor.exited.then(({ code, signal }) => {
        throw new Error(`its new process ended with ${signal ?? `exit code ${code}`}`);
      });
      const late = () => new Error(`its new process didn't serve within ${timeoutMs} ms`);
      await withDeadline(clock, timeoutMs, Promise.race([successor.serving, ended]), late);
    } catch (error) {
      successor.kill("SIGKILL");
      throw error;
    } finally {
      this.#successor = undefined;
    }
    if (this.#mayRestart) await this.#follow(successor, startedAtMs);
    else successor.kill("SIGTERM");
  }

  async #follow(successor: ServiceProcess, startedAtMs: number): Promise<void> {
    const former = this.#state;
    if (former.name === "waiting") former.cancel();
    this.#run(successor, startedAtMs);
    if (former.name === "running") await this.#end(former.process);
  }

  /** Stops a process. */
  async #end(process: ServiceProcess): Promise<void> {
    const { clock, logger } = this.#options;
    process.kill("SIGTERM");
    const cancel = clock.after(this.#options.stopTimeoutMs, () => {
      process.kill("SIGKILL");
      logger.warn({ child: this.#spec.name, pid: process.pid }, "did not stop in time: killed");
    });
    await process.exited;
    cancel();
  }

  #ended(exit: Exit, livedMs: number): void {
    this.#state = { name: "ended" };
    const refused = exit.code === exitSetup;
    if (!refused) this.#hasRun = true;
    if (!this.#mayRestart) return;
    if (livedMs >= healthyAfterMs) this.#backoff.reset();
    if (refused) void this.#restartUnlessHopeless(exit);
    else this.#restartLater("died", exit);
  }

  /** A service that has run before may find its port taken for a while, which is no reason to stop the others. */
  async #restartUnlessHopeless(exit: Exit): Promise<void> {
    const { name, check } = this.#spec;
    const checking = { name: "checking" } as const;
    this.#state = checking;
    let hopeless = this.#hasRun ? undefined : `${name} can't run: its own message above has the cause`;
    try {
      if (this.#hasRun && check) await check();
    } catch (error) {
      hopeless = cannotStart(name, error);
    }
    if (this.#state !== checking) return;
    if (hopeless === undefined) return this.#restartLater("died", exit);
    this.#state = { name: "ended" };
    this.#options.logger.error({ child: name }, "can't run: only a person can help");
    this.#giveUp(hopeless);
  }

  /** Logs last: the service is restarted even if logging throws. */
  #restartLater(what: string, why: object): void {
    const { clock, logger } = this.#options;
    // A requested kill doesn't count as a crash: it doesn't lengthen later delays.
    const delayMs = this.#awayMs ?? this.#backoff.nextMs();
    this.#awayMs = undefined;
    this.#state = { name: "waiting", cancel: clock.after(delayMs, () => this.start()) };
    const hint = "signal" in why && why.signal === "SIGKILL" ? { hint: killedHint } : {};
    logger.warn({ child: this.#spec.name, ...why, ...hint, restartInMs: delayMs }, `${what}, will be restarted`);
  }
}

const killedHint = "if nobody killed it, the system did because memory ran out: dmesg tells";

export function cannotStart(name: string, error: unknown): string {
  return `${name} can't be started: ${error instanceof Error ? error.message : String(error)}`;
}
