/** Waiting by condition: the limit only turns a hang into a message. */

const askEveryMs = 20;
const timeoutMsDefault = 20_000;

/** Resolves when `condition` holds; one that throws doesn't hold yet. Rejects when `signal` aborts or it takes too long. */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  signal: AbortSignal,
  timeoutMs = timeoutMsDefault,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    signal.throwIfAborted();
    let cause: unknown;
    try {
      if (await condition()) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) throw new Error(`${timeoutMs} ms have passed without: ${what}`, { cause });
    await Bun.sleep(askEveryMs);
  }
}
