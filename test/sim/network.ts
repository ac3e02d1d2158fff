/**
 * The simulated network between the processes: calls and messages are delayed, lost, duplicated and reordered, and wait at
 * a partition. It guarantees less than gRPC does. Within one stream, messages arrive in order or not at all, but any of
 * them may arrive a second time, out of order. Streams and calls have no order between them. A call whose answer is lost
 * ends at its deadline.
 */

import type { Stream, StreamHandlers } from "@stock-bazaar/shared/api";
import { BazaarError } from "@stock-bazaar/shared/errors";
import type { Random } from "@stock-bazaar/shared/random";
import type { Host, Life } from "./process.ts";
import type { Scheduler } from "./scheduler.ts";

/** Average latency in fine weather. */
const latencyMs = 0.4;
/** A duplicated message arrives a second time within this time. */
const duplicateWithinMs = 400;
/** Both sides close a connection on which nothing has passed in one direction for this time. */
const keepaliveMs = 6000;
/** A stream that has lost a message ends on both sides within this time. */
const brokenStreamWithinMs = 800;

export interface Weather {
  readonly dropChance: number;
  readonly duplicateChance: number;
  readonly slowChance: number;
  /** Average extra delay of a slow message. */
  readonly slowMs: number;
}

const fine: Weather = { dropChance: 0, duplicateChance: 0, slowChance: 0, slowMs: 0 };

/** One direction of the link between two processes. */
export type Way = readonly [from: string, to: string];

/** The process that makes a call, and its current life. */
export interface Caller {
  readonly name: string;
  readonly life: Life;
  /** The deadline of each call. */
  readonly timeoutMs: number;
}

/** A stream that is open, with both of its directions. */
interface OpenStream {
  readonly ways: readonly [string, string];
  readonly lose: () => void;
}

/** One direction of a stream, in which messages keep their order. */
interface Lane {
  arrivedMs: number;
}

export class Network {
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  /** The weather of the ways that differ from `#everywhere`. */
  readonly #local = new Map<string, Weather>();
  #everywhere: Weather = fine;
  readonly #cuts = new Set<string>();
  readonly #streams = new Set<OpenStream>();
  /** Messages that wait at a cut, in order of arrival. */
  #waiting: { readonly way: string; readonly deliver: () => void }[] = [];

  constructor(scheduler: Scheduler, random: Random) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** Cuts one direction. Messages wait at the cut until it is healed. */
  cut(from: string, to: string): void {
    const way = wayOf(from, to);
    this.#cuts.add(way);
    const streams = [...this.#streams].filter(({ ways }) => ways.includes(way));
    this.#scheduler.after(keepaliveMs, () => {
      if (this.#cuts.has(way)) for (const { lose } of streams) lose();
    });
  }

  heal(from: string, to: string): void {
    this.#cuts.delete(wayOf(from, to));
    this.#release();
  }

  /** Sets the weather of one way, or of all other ways if none is named; fine weather by default. */
  setWeather(weather: Partial<Weather> = {}, from?: string, to?: string): void {
    const now = { ...fine, ...weather };
    if (from === undefined || to === undefined) this.#everywhere = now;
    else this.#local.set(wayOf(from, to), now);
  }

  healAll(stayCut: readonly Way[] = []): void {
    this.#cuts.clear();
    for (const [from, to] of stayCut) this.#cuts.add(wayOf(from, to));
    this.#local.clear();
    this.#everywhere = fine;
    this.#release();
  }

  /** Makes a call. Its work may be done never, once or twice, and its outcome may stay unknown (R10). */
  call<Service, Result>(
    caller: Caller,
    host: Host<Service>,
    work: (service: Service) => Promise<Result>,
    signal?: AbortSignal,
  ): Promise<Result> {
    return new Promise((resolve, reject) => {
      let isOpen = true;
      const finish = (settle: () => void) => {
        if (!isOpen) return;
        isOpen = false;
        cancelDeadline();
        signal?.removeEventListener("abort", giveUp);
        settle();
      };
      const giveUp = () => finish(() => reject(new BazaarError("UNAVAILABLE", "given up")));
      const answer = (settle: () => void) =>
        this.#pass(
          host.name,
          caller.name,
          () => caller.life.run(() => finish(settle)),
          this.#isLost(host.name, caller.name),
        );
      const lost = () => answer(() => reject(new BazaarError("UNAVAILABLE", "connection lost")));
      const cancelDeadline = caller.life.clock.after(caller.timeoutMs, () =>
        finish(() => reject(new BazaarError("UNAVAILABLE", `no answer in ${caller.timeoutMs} ms`))),
      );
      if (signal?.aborted) return giveUp();
      signal?.addEventListener("abort", giveUp);
      if (!caller.life.isAlive) return;

      const request = () => {
        const { life, service } = host;
        if (!life || !service) return lost();
        // A frozen process has received the call; if it is killed, the call is lost.
        const forget = life.onKill(lost);
        life.run(() => {
          work(service).then(
            (result) => {
              forget();
              if (life.isAlive) answer(() => resolve(result));
            },
            (error: unknown) => {
              forget();
              if (life.isAlive) answer(() => reject(BazaarError.from(error)));
            },
          );
        });
      };
      this.#pass(caller.name, host.name, request, this.#isLost(caller.name, host.name));
      this.#maybeAgain(caller.name, host.name, request);
    });
  }

  open<Service, Sent, Received>(
    caller: Caller,
    host: Host<Service>,
    connect: (service: Service, handlers: StreamHandlers<Received>) => Stream<Sent>,
    handlers: StreamHandlers<Received>,
  ): Stream<Sent> {
    const there: Lane = { arrivedMs: 0 };
    const back: Lane = { arrivedMs: 0 };
    let far: Stream<Sent> | undefined;
    let isNearOpen = true;
    let isFarOpen = true;
    let isBroken = false;
    let forgetCaller = () => {};
    let forgetHost = () => {};
    const endNear = (error?: BazaarError) =>
      caller.life.run(() => {
        if (!isNearOpen) return;
        isNearOpen = false;
        this.#streams.delete(stream);
        forgetCaller();
        handlers.ended(error);
      });
    const closeFar = () => {
      if (!isFarOpen) return;
      isFarOpen = false;
      forgetHost();
      far?.close();
    };
    const lost = () => new BazaarError("UNAVAILABLE", "connection lost");
    const stream: OpenStream = {
      ways: [wayOf(caller.name, host.name), wayOf(host.name, caller.name)],
      lose() {
        isBroken = true;
        endNear(lost());
        host.life?.run(closeFar);
      },
    };
    this.#streams.add(stream);
    const breaks = (from: string, to: string) => {
      if (!this.#isLost(from, to)) return false;
      isBroken = true;
      this.#scheduler.after(this.#random.between(0, brokenStreamWithinMs), () => endNear(lost()));
      this.#scheduler.after(this.#random.between(0, brokenStreamWithinMs), () => host.life?.run(closeFar));
      return true;
    };
    const sendThere = (deliver: (life: Life) => void, mayRepeat: boolean) => {
      if (!caller.life.isAlive || isBroken || breaks(caller.name, host.name)) return;
      const arrive = () => {
        const { life } = host;
        if (life && !isBroken) life.run(() => deliver(life));
      };
      this.#pass(caller.name, host.name, arrive, false, there);
      if (mayRepeat) this.#maybeAgain(caller.name, host.name, arrive);
    };
    const sendBack = (life: Life, deliver: () => void, mayRepeat: boolean) => {
      if (!life.isAlive || isBroken || breaks(host.name, caller.name)) return;
      const arrive = () => {
        if (!isBroken) caller.life.run(deliver);
      };
      this.#pass(host.name, caller.name, arrive, false, back);
      if (mayRepeat) this.#maybeAgain(host.name, caller.name, arrive);
    };

    forgetCaller = caller.life.onKill(() => {
      this.#streams.delete(stream);
      this.#pass(caller.name, host.name, () => host.life?.run(closeFar), false);
    });
    this.#pass(
      caller.name,
      host.name,
      () => {
        const { life, service } = host;
        if (!life || !service || isBroken) {
          this.#pass(host.name, caller.name, () => endNear(lost()), false, back);
          return;
        }
        forgetHost = life.onKill(() => {
          isFarOpen = false;
          this.#pass(host.name, caller.name, () => endNear(lost()), false, back);
        });
        life.run(() => {
          far = connect(service, {
            message: (message) =>
              sendBack(
                life,
                () => {
                  if (isNearOpen) handlers.message(message);
                },
                true,
              ),
            ended: (error) => {
              isFarOpen = false;
              forgetHost();
              sendBack(life, () => endNear(error), false);
            },
          });
        });
      },
      false,
      there,
    );
    return {
      send: (message) =>
        sendThere(() => {
          if (isFarOpen) far?.send(message);
        }, true),
      close: () => {
        if (!isNearOpen) return;
        isNearOpen = false;
        this.#streams.delete(stream);
        forgetCaller();
        sendThere(closeFar, false);
      },
    };
  }

  #pass(from: string, to: string, deliver: () => void, isLost: boolean, lane?: Lane): void {
    if (isLost) return;
    const { slowChance, slowMs } = this.#weather(from, to);
    const isSlow = this.#happens(slowChance);
    const delayMs = this.#random.exponential(latencyMs) + (isSlow ? this.#random.exponential(slowMs) : 0);
    const atMs = Math.max(this.#scheduler.nowMs + delayMs, lane?.arrivedMs ?? 0);
    if (lane) lane.arrivedMs = atMs;
    this.#scheduler.after(atMs - this.#scheduler.nowMs, () => this.#arrive(wayOf(from, to), deliver));
  }

  #maybeAgain(from: string, to: string, deliver: () => void): void {
    if (!this.#happens(this.#weather(from, to).duplicateChance)) return;
    this.#scheduler.after(this.#random.between(0, duplicateWithinMs), () => this.#arrive(wayOf(from, to), deliver));
  }

  #arrive(way: string, deliver: () => void): void {
    if (this.#cuts.has(way)) this.#waiting.push({ way, deliver });
    else deliver();
  }

  #release(): void {
    const free = this.#waiting.filter(({ way }) => !this.#cuts.has(way));
    this.#waiting = this.#waiting.filter(({ way }) => this.#cuts.has(way));
    for (const { way, deliver } of free) this.#scheduler.after(0, () => this.#arrive(way, deliver));
  }

  #isLost(from: string, to: string): boolean {
    return this.#happens(this.#weather(from, to).dropChance);
  }

  #weather(from: string, to: string): Weather {
    return this.#local.size === 0 ? this.#everywhere : (this.#local.get(wayOf(from, to)) ?? this.#everywhere);
  }

  /** Draws no random number if the chance is zero, to save time. */
  #happens(chance: number): boolean {
    return chance > 0 && this.#random.chance(chance);
  }
}

function wayOf(from: string, to: string): string {
  return `${from} > ${to}`;
}
