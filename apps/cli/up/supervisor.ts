/**
 * Keeps services running. It starts them together, restarts one that dies, and stops them in order: those that take
 * requests stop first, so that no request is accepted that the others can't finish. A lost database is repaired before
 * its service starts again. This file holds only the policy: processes, repairs and time are passed in.
 */

import { cannotStart, type ServiceOptions, type ServiceSpec, SupervisedService } from "./supervised-service.ts";

export interface SupervisorOptions extends ServiceOptions {
  /** The stages in the order in which they stop. The services of one stage stop together. */
  readonly stages: readonly (readonly ServiceSpec[])[];
}

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

  /** Stops a service and starts it again. Resolves when its new process is about to run. */
  async restartService(name: string): Promise<void> {
    const service = this.#known(name);
    await service.stop();
    if (this.#stopped) throw new Error("everything is being stopped");
    service.start();
  }

  /**
   * Lets a second process of the service follow the first without a moment between them. Rejects if it doesn't serve within
   * `timeoutMs`: then the first one goes on.
   */
  replaceService(name: string, environment: Readonly<Record<string, string>>, timeoutMs: number): Promise<void> {
    return this.#known(name).replace(environment, timeoutMs);
  }

  #known(name: string): SupervisedService {
    const service = this.#find(name);
    if (!service || this.#stopped) throw new Error(`${name} isn't supervised here, or everything is being stopped`);
    return service;
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
