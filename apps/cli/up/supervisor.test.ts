import type { Clock } from "@stock-bazaar/shared/clock";
import type { Exit } from "@stock-bazaar/process/launch";
import { silentLogger } from "@stock-bazaar/process/log";
import { describe, expect, test, vi } from "vitest";
import type { Repair, ServiceProcess, ServiceSpec } from "./supervised-service.ts";
import { Supervisor } from "./supervisor.ts";

/** Time that stands still until it is moved. */
class FakeClock implements Clock {
  #nowMs = 0;
  #timers: { atMs: number; action: () => void }[] = [];

  nowMs = () => this.#nowMs;
  wallMs = () => this.#nowMs;
  soon = (action: () => void) => queueMicrotask(action);
  after = (delayMs: number, action: () => void) => {
    const timer = { atMs: this.#nowMs + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  };

  /** How long until the next timer; 0 if there is none. */
  get nextInMs(): number {
    return Math.min(...this.#timers.map(({ atMs }) => atMs), Number.POSITIVE_INFINITY) - this.#nowMs;
  }

  advance(byMs: number): void {
    this.#nowMs += byMs;
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs);
    this.#timers = this.#timers.filter((timer) => !due.includes(timer));
    for (const { action } of due) action();
  }
}

class FakeProcess implements ServiceProcess {
  readonly pid = 1;
  readonly exited: Promise<Exit>;
  readonly serving: Promise<void>;
  /** Reports that the process serves. */
  readonly serves: () => void;
  readonly signals: string[] = [];
  readonly #exit: (exit: Exit) => void;
  readonly #onKill: (signal: string) => void;

  constructor(onKill: (signal: string) => void) {
    this.#onKill = onKill;
    const { promise, resolve } = Promise.withResolvers<Exit>();
    this.exited = promise;
    ({ promise: this.serving, resolve: this.serves } = Promise.withResolvers<void>());
    this.#exit = resolve;
  }

  /** Resolves when the supervisor has handled the exit. */
  async exit(code: number | null, signal: string | null = null): Promise<void> {
    this.#exit({ code, signal });
    await this.exited;
    await Promise.resolve();
  }

  kill(signal: "SIGTERM" | "SIGKILL"): void {
    this.signals.push(signal);
    this.#onKill(signal);
  }

  freeze(forMs: number): void {
    this.#onKill(`freeze ${forMs}`);
  }
}

function setUp(
  stages: string[][] = [["front-end"], ["order-1", "order-2"], ["catalog"]],
  repairs: Readonly<Record<string, Repair>> = {},
  check?: () => Promise<void>,
) {
  const clock = new FakeClock();
  const started: { name: string; process: FakeProcess }[] = [];
  const kills: string[] = [];
  let startFailures = 0;
  const supervisor = new Supervisor({
    stopTimeoutMs: 10_000,
    stages: stages.map((names) =>
      names.map((name): ServiceSpec => {
        const repair = repairs[name];
        return { name, command: [], environment: {}, ...(repair && { repair }), ...(check && { check }) };
      }),
    ),
    startProcess: ({ name }) => {
      if (startFailures > 0) {
        startFailures -= 1;
        throw new Error("no such program");
      }
      const process = new FakeProcess((signal) => kills.push(`${signal} ${name}`));
      started.push({ name, process });
      return process;
    },
    clock,
    logger: silentLogger,
  });
  return {
    supervisor,
    clock,
    started,
    kills,
    failStarts: (times: number) => {
      startFailures = times;
    },
    /** The last process of a service. */
    latest: (name: string) => {
      const found = started.findLast((entry) => entry.name === name);
      if (!found) throw new Error(`${name} was never started`);
      return found.process;
    },
  };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

test("all services start at once", () => {
  const { supervisor, started } = setUp();
  supervisor.start();
  expect(started.map(({ name }) => name)).toEqual(["front-end", "order-1", "order-2", "catalog"]);
});

test("a service that keeps dying is restarted after delays that double up to 5 s", async () => {
  const { supervisor, clock, started, latest } = setUp([["order-1"]]);
  supervisor.start();
  const waits: number[] = [];
  for (let death = 0; death < 8; death++) {
    await latest("order-1").exit(null, "SIGKILL");
    waits.push(clock.nextInMs);
    expect(started).toHaveLength(death + 1);
    clock.advance(clock.nextInMs);
    expect(started).toHaveLength(death + 2);
  }
  expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 5000, 5000]);
});

test("a service that has lived for 10 s is restarted after the first delay again", async () => {
  const { supervisor, clock, latest } = setUp([["order-1"]]);
  supervisor.start();
  await latest("order-1").exit(1);
  clock.advance(100);
  clock.advance(9999);
  await latest("order-1").exit(1);
  expect(clock.nextInMs).toBe(200);
  clock.advance(200);
  clock.advance(10_000);
  await latest("order-1").exit(1);
  expect(clock.nextInMs).toBe(100);
});

test("a service that ends with 0 by itself is restarted too, and the others run on", async () => {
  const { supervisor, clock, started, kills, latest } = setUp();
  supervisor.start();
  await latest("order-2").exit(0);
  clock.advance(100);
  expect(started.slice(4).map(({ name }) => name)).toEqual(["order-2"]);
  expect(kills).toEqual([]);
});

test("a service that is killed on request is away for the requested time, and its next restart isn't delayed more", async () => {
  const { supervisor, clock, started, kills, latest } = setUp([["order-1", "order-2"]]);
  supervisor.start();
  expect(supervisor.killService("order-1", 3000)).toBe(true);
  expect(kills).toEqual(["SIGKILL order-1"]);
  await latest("order-1").exit(null, "SIGKILL");
  expect(clock.nextInMs).toBe(3000);
  expect(supervisor.killService("order-1", 3000)).toBe(false);
  clock.advance(3000);
  expect(started.slice(2).map(({ name }) => name)).toEqual(["order-1"]);
  await latest("order-1").exit(1);
  expect(clock.nextInMs).toBe(100);
});

test("only a running service of this supervisor is frozen or killed on request", async () => {
  const { supervisor, kills, latest } = setUp([["order-1"]]);
  expect(supervisor.freezeService("order-1", 500)).toBe(false);
  supervisor.start();
  expect(supervisor.freezeService("order-1", 500)).toBe(true);
  expect(kills).toEqual(["freeze 500 order-1"]);
  expect(supervisor.freezeService("order-7", 500)).toBe(false);
  expect(supervisor.killService("order-7", 500)).toBe(false);
  const stopped = supervisor.stop();
  expect(supervisor.killService("order-1", 500)).toBe(false);
  await latest("order-1").exit(0);
  await stopped;
});

test("a program that can't be started is retried", () => {
  const { supervisor, clock, started, failStarts } = setUp([["order-1"]]);
  failStarts(2);
  supervisor.start();
  clock.advance(100);
  expect(started).toHaveLength(0);
  clock.advance(200);
  expect(started).toHaveLength(1);
});

test("a service is restarted even if logging throws", () => {
  const clock = new FakeClock();
  const started: FakeProcess[] = [];
  const fail = () => {
    throw new Error("no space left");
  };
  const supervisor = new Supervisor({
    stopTimeoutMs: 10_000,
    stages: [[{ name: "order-1", command: [], environment: {} }]],
    startProcess: () => {
      const process = new FakeProcess(() => {});
      vi.spyOn(process.exited, "then");
      started.push(process);
      return process;
    },
    clock,
    logger: { ...silentLogger, info: fail, warn: fail, error: fail },
  });
  expect(() => supervisor.start()).toThrow("no space left");
  // Called here, so that the test can catch what the supervisor throws.
  const ended = vi.mocked(started[0]?.exited)?.then.mock.lastCall?.[0];
  expect(() => ended?.({ code: 1, signal: null })).toThrow("no space left");
  expect(() => clock.advance(100)).toThrow("no space left");
  expect(started).toHaveLength(2);
});

test("a service that exits with 2 at its first start isn't restarted: its settings are wrong, which is reported", async () => {
  const { supervisor, clock, latest } = setUp();
  supervisor.start();
  await latest("order-2").exit(2);
  await expect(supervisor.helpless).resolves.toBe("order-2 can't run: its own message above has the cause");
  expect(clock.nextInMs).toBe(Number.POSITIVE_INFINITY);
});

test("a service that exits with 2 after it has run is restarted with growing delays, and the others run on", async () => {
  const { supervisor, clock, started, kills, latest } = setUp();
  supervisor.start();
  clock.advance(10_000);
  await latest("order-2").exit(null, "SIGKILL");
  const waits: number[] = [];
  for (let refusal = 0; refusal < 7; refusal++) {
    clock.advance(clock.nextInMs);
    await latest("order-2").exit(2);
    waits.push(clock.nextInMs);
  }
  expect(waits).toEqual([200, 400, 800, 1600, 3200, 5000, 5000]);
  await expect(Promise.race([supervisor.helpless, Promise.resolve("pending")])).resolves.toBe("pending");
  clock.advance(5000);
  expect(started.slice(4).map(({ name }) => name)).toEqual(Array.from({ length: 8 }, () => "order-2"));
  expect(kills).toEqual([]);
});

test("a service that exits with 2 after it has run is given up if its check rejects: only a person can help", async () => {
  let wrong: Error | undefined;
  const { supervisor, clock, started, latest } = setUp([["catalog"]], {}, async () => {
    if (wrong) throw wrong;
  });
  supervisor.start();
  await latest("catalog").exit(1);
  clock.advance(100);
  await latest("catalog").exit(2);
  await settle();
  clock.advance(200);
  expect(started).toHaveLength(3);
  wrong = new Error("an old copy");
  await latest("catalog").exit(1);
  clock.advance(400);
  expect(started).toHaveLength(4);
  await latest("catalog").exit(2);
  await expect(supervisor.helpless).resolves.toBe("catalog can't be started: an old copy");
  clock.advance(10_000);
  expect(started).toHaveLength(4);
});

test("stops stage by stage, each when the one before it has ended", async () => {
  const { supervisor, kills, latest } = setUp();
  supervisor.start();
  const stopped = supervisor.stop();
  expect(kills).toEqual(["SIGTERM front-end"]);

  await latest("front-end").exit(0);
  await settle();
  expect(kills.slice(1)).toEqual(["SIGTERM order-1", "SIGTERM order-2"]);

  await latest("order-2").exit(0);
  await settle();
  expect(kills).toHaveLength(3);
  await latest("order-1").exit(0);
  await settle();
  expect(kills.slice(3)).toEqual(["SIGTERM catalog"]);

  await latest("catalog").exit(0);
  await stopped;
});

test("a service that doesn't stop in 10 s is killed, and the other stages stop", async () => {
  const { supervisor, clock, kills, latest } = setUp([["front-end"], ["catalog"]]);
  supervisor.start();
  const stopped = supervisor.stop();
  clock.advance(9999);
  expect(kills).toEqual(["SIGTERM front-end"]);
  clock.advance(1);
  expect(kills).toEqual(["SIGTERM front-end", "SIGKILL front-end"]);
  await latest("front-end").exit(null, "SIGKILL");
  await settle();
  await latest("catalog").exit(0);
  await stopped;
});

test("a service that dies or waits for its restart while everything stops isn't restarted", async () => {
  const { supervisor, clock, started, kills, latest } = setUp();
  supervisor.start();
  await latest("order-1").exit(1);
  const stopped = supervisor.stop();
  const again = supervisor.stop();
  // As if Ctrl-C had reached every process.
  for (const name of ["catalog", "order-2", "front-end"]) await latest(name).exit(null, "SIGINT");
  await stopped;
  await again;
  clock.advance(60_000);
  expect(started).toHaveLength(4);
  expect(kills).toEqual(["SIGTERM front-end"]);
});

describe("a repair", () => {
  /** Catalog and replicas as in `up`. `lost` names those whose database is missing. */
  async function setUpRepairs() {
    const lost = new Set<string>();
    const repaired: string[] = [];
    const repairOf = (name: string, pauses: string[]): Repair => ({
      isDue: async () => lost.has(name),
      pauses,
      run: async () => {
        if (lost.has("hope")) throw new Error("no replica is left");
        repaired.push(name);
        lost.delete(name);
      },
    });
    const replicas = ["order-1", "order-2"];
    const repairs = {
      catalog: repairOf("catalog", replicas),
      ...Object.fromEntries(replicas.map((name) => [name, repairOf(name, [])])),
    };
    const parts = setUp(undefined, repairs);
    parts.supervisor.start();
    await settle();
    return { ...parts, lost, repaired, startedAgain: () => parts.started.slice(4).map(({ name }) => name) };
  }

  test("runs before the next start, after the paused services have ended; then all of them start again", async () => {
    const { clock, kills, latest, lost, repaired, startedAgain } = await setUpRepairs();
    lost.add("catalog");
    await latest("catalog").exit(1);
    clock.advance(100);
    await settle();
    expect(kills).toEqual(["SIGTERM order-1", "SIGTERM order-2"]);
    await latest("order-1").exit(0);
    await settle();
    expect(repaired).toEqual([]);
    expect(startedAgain()).toEqual([]);

    await latest("order-2").exit(0);
    await settle();
    expect(repaired).toEqual(["catalog"]);
    expect(startedAgain()).toEqual(["catalog", "order-1", "order-2"]);
    // From now on they are supervised as before.
    await latest("order-1").exit(1);
    clock.advance(100);
    await settle();
    expect(startedAgain().at(-1)).toBe("order-1");
  });

  test("without pauses doesn't stop the others, and doesn't run if it isn't due", async () => {
    const { clock, kills, latest, lost, repaired, startedAgain } = await setUpRepairs();
    lost.add("order-2");
    await latest("order-1").exit(1);
    await latest("order-2").exit(1);
    clock.advance(100);
    await settle();
    expect(repaired).toEqual(["order-2"]);
    expect(startedAgain()).toEqual(["order-1", "order-2"]);
    expect(kills).toEqual([]);
  });

  test("of two services at once runs one after the other, and each service starts once", async () => {
    const { clock, latest, lost, repaired, started, startedAgain } = await setUpRepairs();
    for (const name of ["catalog", "order-1"]) {
      lost.add(name);
      await latest(name).exit(1);
    }
    clock.advance(100);
    await settle();
    await latest("order-2").exit(0);
    await settle();
    expect(repaired.toSorted()).toEqual(["catalog", "order-1"]);
    expect(startedAgain().toSorted()).toEqual(["catalog", "order-1", "order-2"]);
    expect(started).toHaveLength(7);
  });

  test("that fails needs a person: it is reported, nothing starts, and everything can be stopped", async () => {
    const { supervisor, clock, latest, lost, startedAgain } = await setUpRepairs();
    lost.add("catalog").add("hope");
    await latest("catalog").exit(1);
    clock.advance(100);
    await settle();
    for (const name of ["order-1", "order-2"]) await latest(name).exit(0);
    await expect(supervisor.helpless).resolves.toBe("catalog can't be started: no replica is left");
    const stopped = supervisor.stop();
    await latest("front-end").exit(0);
    await stopped;
    clock.advance(60_000);
    expect(startedAgain()).toEqual([]);
  });

  test("pauses a service that has run: it is retried if it exits with 2 afterwards", async () => {
    const { supervisor, clock, latest, lost, startedAgain } = await setUpRepairs();
    lost.add("catalog");
    await latest("catalog").exit(1);
    clock.advance(100);
    await settle();
    for (const name of ["order-1", "order-2"]) await latest(name).exit(0);
    await settle();
    await latest("order-1").exit(2);
    clock.advance(100);
    await settle();
    expect(startedAgain()).toEqual(["catalog", "order-1", "order-2", "order-1"]);
    await expect(Promise.race([supervisor.helpless, Promise.resolve("pending")])).resolves.toBe("pending");
  });

  test("doesn't run if everything stops meanwhile", async () => {
    const { supervisor, clock, latest, lost, repaired, startedAgain } = await setUpRepairs();
    lost.add("catalog");
    await latest("catalog").exit(1);
    clock.advance(100);
    await settle();
    const stopped = supervisor.stop();
    for (const name of ["front-end", "order-1", "order-2"]) {
      await latest(name).exit(0);
      await settle();
    }
    await stopped;
    expect(repaired).toEqual([]);
    expect(startedAgain()).toEqual([]);
  });

  test("that is running when everything stops is finished, and nothing starts again", async () => {
    const repair = Promise.withResolvers<void>();
    let isDue = false;
    const parts = setUp(undefined, { catalog: { isDue: async () => isDue, pauses: [], run: () => repair.promise } });
    const { supervisor, clock, latest, started } = parts;
    supervisor.start();
    await settle();
    isDue = true;
    await latest("catalog").exit(1);
    clock.advance(100);
    await settle();
    let hasStopped = false;
    const stopped = supervisor.stop().then(() => (hasStopped = true));
    for (const name of ["front-end", "order-1", "order-2"]) {
      await latest(name).exit(0);
      await settle();
    }
    expect(hasStopped).toBe(false);
    repair.resolve();
    await stopped;
    await settle();
    expect(started).toHaveLength(4);
  });

  test("whose isDue rejects doesn't run: the service starts, and reports the cause itself", async () => {
    const isDue = () => Promise.reject(new Error("the server doesn't answer"));
    const run = () => Promise.reject(new Error("must not be run"));
    const { supervisor, started } = setUp([["catalog"]], { catalog: { isDue, pauses: [], run } });
    supervisor.start();
    await settle();
    expect(started).toHaveLength(1);
  });

  test("doesn't run if its service was stopped before isDue answered", async () => {
    const answer = Promise.withResolvers<boolean>();
    const run = () => Promise.reject(new Error("must not be run"));
    const { supervisor, started } = setUp([["catalog"]], { catalog: { isDue: () => answer.promise, pauses: [], run } });
    supervisor.start();
    await supervisor.stop();
    answer.resolve(true);
    await settle();
    expect(started).toEqual([]);
    await expect(Promise.race([supervisor.helpless, Promise.resolve("pending")])).resolves.toBe("pending");
  });
});

describe("a process that follows another one", () => {
  const state = () => {
    const set = setUp([["front-end"]]);
    set.supervisor.start();
    return { ...set, first: set.latest("front-end") };
  };

  test("takes over when it serves: only then the first one is stopped, and its end is no death", async () => {
    const { supervisor, latest, started, first, kills, clock } = state();
    const replaced = supervisor.replaceService("front-end", { NEXT: "1" }, 1000);
    const second = latest("front-end");
    expect(second).not.toBe(first);
    await settle();
    expect(kills).toEqual([]);
    second.serves();
    await settle();
    expect([first.signals, second.signals]).toEqual([["SIGTERM"], []]);
    await first.exit(0);
    await replaced;
    clock.advance(60_000);
    expect(started).toHaveLength(2);
    // The second one is supervised now.
    await second.exit(1);
    clock.advance(60_000);
    expect(started).toHaveLength(3);
  });

  test("is killed if it doesn't serve in time, or may end: the first one goes on", async () => {
    const { supervisor, latest, first, clock } = state();
    const late = supervisor.replaceService("front-end", {}, 1000);
    clock.advance(1000);
    await expect(late).rejects.toThrow("its new process didn't serve within 1000 ms");
    expect(latest("front-end").signals).toEqual(["SIGKILL"]);
    const refused = supervisor.replaceService("front-end", {}, 1000);
    void latest("front-end").exit(2);
    await expect(refused).rejects.toThrow("its new process ended with exit code 2");
    expect(first.signals).toEqual([]);
  });

  test("ends with everything else", async () => {
    const { supervisor, latest, first } = state();
    const replaced = supervisor.replaceService("front-end", {}, 1000).catch((error: unknown) => error);
    const second = latest("front-end");
    const stopped = supervisor.stop();
    expect([first.signals, second.signals]).toEqual([["SIGTERM"], ["SIGKILL"]]);
    await Promise.all([first.exit(0), second.exit(null, "SIGKILL")]);
    await stopped;
    expect(String(await replaced)).toContain("its new process ended with SIGKILL");
  });
});

test("a service that is restarted on request stops and starts", async () => {
  const { supervisor, latest, started } = setUp();
  supervisor.start();
  const first = latest("order-1");
  const restarted = supervisor.restartService("order-1");
  expect(first.signals).toEqual(["SIGTERM"]);
  await first.exit(0);
  await restarted;
  expect(started.filter(({ name }) => name === "order-1")).toHaveLength(2);
  await expect(supervisor.restartService("order-9")).rejects.toThrow("order-9 isn't supervised here");
});
