/**
 * Keeps processes running: starts them together, starts one that dies again, and stops them in order, those that
 * take requests first, so that nothing is taken in which the rest can't finish any more. What a service needs is
 * repaired before it starts again. Processes, repairs and time come in from outside; this file holds the policy and no
 * more.
 */

import { Backoff, type Clock } from "@stock-bazaar/shared/clock";
import { exitSetup } from "@stock-bazaar/shared/errors";
import type { Exit } from "@stock-bazaar/process/launch";
import type { Logger } from "@stock-bazaar/process/log";

export interface ServiceSpec {
  readonly name: string;
  readonly command: readonly string[];
  /** On top of the supervisor's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly repair?: Repair;
  /** Asked when it refuses to run though it has run before: rejects if only a person can help. */
  readonly check?: () => Promise<void>;
  /** What it may say to the supervisor, over a channel that only the two have. Absent: there is none. */
  readonly hears?: (message: unknown, reply: (message: object) => void) => void;
}

/** Makes again what a service can't start without: its database. */
export interface Repair {
  /** Asked before every start. If it rejects, the service is started, and says itself what is wrong. */
  readonly isDue: () => Promise<boolean>;
  /** Services that must not run meanwhile. They are stopped before, and started again afterwards. */
  readonly pauses: readonly string[];
  /** Rejects if it can't be done: only a person can help then. */
  readonly run: () => Promise<void>;
}

export interface ServiceProcess {
  readonly pid: number;
  /** Never rejects. */
  readonly exited: Promise<Exit>;
  kill(signal: "SIGTERM" | "SIGKILL"): void;
  /** It stays and does nothing, then goes on by itself, whatever becomes of the supervisor. */
  freeze(forMs: number): void;
}

export interface SupervisorOptions {
  /** In the order in which they are stopped; the services of one stage stop together. */
  readonly stages: readonly (readonly ServiceSpec[])[];
  /** May throw, which counts as a process that died at once. */
  readonly startProcess: (spec: ServiceSpec) => ServiceProcess;
  /** A service that is told to stop is killed after this. */
  readonly stopTimeoutMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The waits before a restart double from the first to the last. */
const restartFirstMs = 100;
const restartMaxMs = 5000;
/** A service that has lived this long was well: its next restart comes quickly again. */
const healthyAfterMs = 10_000;

type ServiceState =
  | { readonly name: "running"; readonly process: ServiceProcess }
  | { readonly name: "waiting"; readonly cancel: () => void }
  /** Until it is known whether it may start. */
  | { readonly name: "checking" }
  /** Until its turn has come and it is done. */
  | { readonly name: "repairing"; readonly repair: Repair }
  | { readonly name: "ended" };

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #services: readonly (readonly SupervisedService[])[];
  /** Resolves with what has to be told when a service can't run and only a person can help; else it stays pending. */
  readonly helpless: Promise<string>;
  /** One repair at a time: each must find the others' services at rest. */
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

  /** Kills a service as `kill -9` does, and starts it again after `awayMs`. False: it doesn't run. */
  killService(name: string, awayMs: number): boolean {
    return this.#find(name)?.kill(awayMs) ?? false;
  }

  /** False: it doesn't run. */
  freezeService(name: string, forMs: number): boolean {
    return this.#find(name)?.freeze(forMs) ?? false;
  }

  #find(name: string): SupervisedService | undefined {
    return this.#services.flat().find((service) => service.name === name);
  }

  async #stopInOrder(): Promise<void> {
    // Whatever dies from now on isn't a crash: a Ctrl-C may have reached every process by itself.
    for (const service of this.#services.flat()) service.stopRestarting();
    for (const stage of this.#services) await Promise.all(stage.map((service) => service.stop()));
    // One that is under way is finished; those behind it aren't begun.
    await this.#repairs;
    this.#options.logger.info("everything has stopped");
  }

  async #repair(service: SupervisedService): Promise<void> {
    const { repair } = service;
    // It was paused by another repair, and asked again after that one, or everything stops.
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
  /** It has ended otherwise than by refusing to run: it could run with these settings. */
  #hasRun = false;
  /** How long it is to be away after a death that was asked for. */
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

  /** The repair that it waits for. */
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
    // It was told to stop meanwhile, and perhaps to start once more.
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

  /** One that has run may find its port taken for a while: the others, which are well, don't stop for that. */
  async #restartUnlessHopeless(exit: Exit): Promise<void> {
    const { name, check } = this.#spec;
    const checking = { name: "checking" } as const;
    this.#state = checking;
    let hopeless = this.#hasRun ? undefined : `${name} can't run like this, and says why`;
    try {
      if (this.#hasRun && check) await check();
    } catch (error) {
      hopeless = cannotStart(name, error);
    }
    if (this.#state !== checking) return;
    if (hopeless === undefined) return this.#restartLater("died", exit);
    this.#state = { name: "ended" };
    this.#options.logger.error({ child: name }, "can't run like this");
    this.#giveUp(hopeless);
  }

  /** The log comes last: whatever becomes of it, the service is started again. */
  #restartLater(what: string, why: object): void {
    const { clock, logger } = this.#options;
    // To die on request is no sign of weakness: it makes no later restart slower.
    const delayMs = this.#awayMs ?? this.#backoff.nextMs();
    this.#awayMs = undefined;
    this.#state = { name: "waiting", cancel: clock.after(delayMs, () => this.start()) };
    logger.warn({ child: this.#spec.name, ...why, restartInMs: delayMs }, `${what}, will be started again`);
  }
}

function cannotStart(name: string, error: unknown): string {
  return `${name} can't be started: ${error instanceof Error ? error.message : String(error)}`;
}
