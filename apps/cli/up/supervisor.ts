/**
 * Keeps services running. It starts them together, restarts one that dies, and stops them in order: those that take
 * requests stop first, so that no request is accepted that the others can't finish. A lost database is repaired before
 * its service starts again. This file holds only the policy: processes, repairs and time are passed in.
 */

import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
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
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** Freezes the process; it is resumed after `forMs`, even if the supervisor has ended. */
  freeze(forMs: number): void;
}

export interface SupervisorOptions {
  /** The stages in the order in which they stop. The services of one stage stop together. */
  readonly stages: readonly (readonly ServiceSpec[])[];
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

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services: readonly (readonly SupervisedService[])[];
  /** Resolves with a message when a service can't run and only a person can help; otherwise never settles. */
  readonly helpless: Promise<string>;
  /** Repairs run one at a time: each needs the services of the others stopped. */
  #repairs: Promise<void> = Promise.resolve();
  readonly #giveUp: (why: string) => void;
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    const { promise, resolve } = Promise.withResolvers<string>();
    this.helpless = promise;
    this.#giveUp = resolve;
    const repairNext = (service: SupervisedService) => {
      this.#repairs = this.#repairs.then(() => this.#repair(service));
    };
    this.#services = options.stages.map((stage) =>
      stage.map((spec) => new SupervisedService(spec, options, resolve, repairNext)),
    );
  }

  start(): void {
    for (const service of this.#services.flat()) service.start();
  }

  /** Resolves when every process has ended. A second call waits for the same end. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopInOrder();
    return this.#stopped;
  }

  /** Kills a service as `kill -9` does, and restarts it after `awayMs`. Returns false if it doesn't run. */
  killService(name: string, awayMs: number): boolean {
    return this.#find(name)?.kill(awayMs) ?? false;
  }

  /** Returns false if the service doesn't run. */
  freezeService(name: string, forMs: number): boolean {
    return this.#find(name)?.freeze(forMs) ?? false;
  }

  #find(name: string): SupervisedService | undefined {
    return this.#services.flat().find((service) => service.name === name);
  }

  async #stopInOrder(): Promise<void> {
    // A process that ends from now on hasn't crashed: Ctrl-C may have reached every process directly.
    for (const service of this.#services.flat()) service.stopRestarting();
    for (const stage of this.#services) await Promise.all(stage.map((service) => service.stop()));
    // A running repair is finished. Those behind it are not begun.
    await this.#repairs;
    this.#options.logger.info("everything has stopped");
  }

  async #repair(service: SupervisedService): Promise<void> {
    const { repair } = service;
    // No repair is due any more: another repair paused and restarted the service, or everything stops.
    if (!repair || this.#stopped) return;
    const { logger } = this.#options;
    logger.warn({ child: service.name, paused: repair.pauses }, "needs a repair before it can start");
    const paused = this.#services.flat().filter(({ name }) => repair.pauses.includes(name));
    await Promise.all(paused.map((other) => other.stop()));
    if (this.#stopped) return;
    try {
      await repair.run();
    } catch (error) {
      this.#giveUp(cannotStart(service.name, error));
      return;
    }
    if (this.#stopped) return;
    for (const other of [service, ...paused]) other.start();
  }
}

class SupervisedService {
  readonly #spec: ServiceSpec;
  readonly #options: SupervisorOptions;
  readonly #giveUp: (why: string) => void;
  readonly #repairNext: (service: SupervisedService) => void;
  readonly #backoff = new Backoff(restartFirstMs, restartMaxMs, () => 0);
  #state: ServiceState = { name: "ended" };
  #mayRestart = true;
  /** It has ended without the exit code of a SetupError, so it can run with these settings. */
  #hasRun = false;
  /** The delay before the restart after a requested kill. */
  #awayMs: number | undefined;

  constructor(
    spec: ServiceSpec,
    options: SupervisorOptions,
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
    const startedAtMs = clock.nowMs();
    this.#state = { name: "running", process };
    void process.exited.then((exit) => {
      this.#ended(exit, clock.nowMs() - startedAtMs);
    });
    logger.info({ child: this.#spec.name, pid: process.pid }, "started");
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
    if (this.#state.name !== "running") return;
    const { clock, logger } = this.#options;
    const { process } = this.#state;
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
    logger.warn({ child: this.#spec.name, ...why, restartInMs: delayMs }, `${what}, will be restarted`);
  }
}

function cannotStart(name: string, error: unknown): string {
  return `${name} can't be started: ${error instanceof Error ? error.message : String(error)}`;
}
