import type { Logger } from "@stock-bazaar/process/log";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { expect, test } from "vitest";
import { ManualClock } from "../../test/support/manual-clock.ts";
import { observe } from "../../test/support/observe.ts";
import { DatabaseError } from "./database-error.ts";
import { untilRoom } from "./until-room.ts";

const full = new DatabaseError("disk-full", "/data/order-1.db", "can't be written: its disk is full");

const passedOn = new BazaarError("STORAGE_UNAVAILABLE", full.message, {
  cause: Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" }),
});

function scenario() {
  const logged: string[] = [];
  const log = (text: string) => void logged.push(text);
  const logger = { warn: log, info: log } as unknown as Logger;
  const stopping = new AbortController();
  return { clock: new ManualClock(), logged, logger, stopping };
}

test("a full disk is logged once, tried again with longer delays, and its end is logged", async () => {
  const { clock, logged, logger } = scenario();
  let tries = 0;
  const waits: string[] = [];
  const result = untilRoom(
    async () => {
      tries += 1;
      if (tries < 12) throw tries % 2 === 0 ? full : passedOn;
      return "open";
    },
    {
      clock,
      logger,
      waits: async (reason) => {
        waits.push(reason);
        return async () => void waits.push("over");
      },
    },
  );
  await clock.advance(10_000);
  expect(tries).toBeLessThan(12);
  await clock.advance(10_000);
  expect(await result).toBe("open");
  expect(logged).toEqual([
    `${full.message}: this service starts when there is room again`,
    "there is room on the disk again",
  ]);
  expect(waits).toEqual([full.message, "over"]);
});

test("another error isn't waited for, and a stop ends the wait", async () => {
  const { clock, logged, logger, stopping } = scenario();
  const damaged = new DatabaseError("damaged", "/data/order-1.db", "is damaged");
  await expect(untilRoom(() => Promise.reject(damaged), { clock, logger })).rejects.toBe(damaged);
  expect(logged).toEqual([]);
  const waiting = observe(untilRoom(() => Promise.reject(full), { clock, logger, stopping: stopping.signal }));
  await clock.advance(500);
  stopping.abort();
  await clock.advance(2000);
  expect(waiting.code).toBe("UNAVAILABLE");
});
