import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe, rejectionCode } from "../../test/support/observe.ts";
import { type Logger, silentLogger } from "./log.ts";
import { untilCheckpointed } from "./until-checkpointed.ts";

/** A checkpoint that is blocked for as long as `state.reader` is set. */
function scenario(reader?: string) {
  const clock = new ManualClock();
  const warnings: string[] = [];
  const logger: Logger = { ...silentLogger, warn: (text: unknown) => void warnings.push(String(text)) };
  const stopping = new AbortController();
  const state = { reader, tries: 0 };
  const start = () =>
    observe(
      untilCheckpointed(
        async () => {
          state.tries += 1;
          return state.reader;
        },
        { clock, logger, stopping: stopping.signal },
      ),
    );
  return { clock, warnings, stopping, state, start };
}

test("without a reader it is done at once, and nothing is logged", async () => {
  const { clock, warnings, state, start } = scenario();
  const done = start();
  await clock.flush();
  expect([done.state, state.tries, warnings, clock.timers]).toEqual(["resolved", 1, [], 0]);
});

test("it waits for a reader, and logs it once", async () => {
  const { clock, warnings, state, start } = scenario("catalog.db is read by process 7 (sqlite3)");
  const done = start();
  await clock.advance(5000);
  expect(done.state).toBe("pending");
  expect(state.tries).toBe(51);
  expect(warnings).toEqual(["catalog.db is read by process 7 (sqlite3): this service waits for that before it serves"]);
  state.reader = undefined;
  await clock.advance(100);
  expect(done.state).toBe("resolved");
  expect(warnings).toHaveLength(1);
});

test("the next reader is logged, too", async () => {
  const { clock, warnings, state, start } = scenario("one");
  start();
  await clock.advance(200);
  state.reader = "another";
  await clock.advance(200);
  expect(warnings.map((text) => text.split(":")[0])).toEqual(["one", "another"]);
});

test("a service that is asked to stop aborts the wait", async () => {
  const { clock, state, stopping, start } = scenario("one");
  const done = start();
  await clock.advance(200);
  stopping.abort();
  await clock.advance(100);
  expect(done.code).toBe("UNAVAILABLE");
  const { tries } = state;
  await clock.advance(1000);
  expect([state.tries, clock.timers]).toEqual([tries, 0]);
});

test("an error of the checkpoint ends the wait", async () => {
  const broken = untilCheckpointed(() => Promise.reject(new Error("disk I/O error")), {
    clock: new ManualClock(),
    logger: silentLogger,
  });
  expect(await rejectionCode(broken)).toBe("INTERNAL_ERROR");
});
