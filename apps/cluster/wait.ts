/** Waiting on conditions, never on time: the limit here only turns a hang into a readable failure. */

const pollMsDefault = 20;
const timeoutMsDefault = 30_000;

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** Ends the wait with the reason that it aborts with. */
  readonly signal?: AbortSignal | undefined;
  /** How often to look. */
  readonly pollMs?: number;
}

/**
 * The first value of `condition` that is neither `undefined`, `null` nor false. A condition that throws isn't met
 * yet; when the limit is reached, its last error is the cause.
 */
export async function eventually<T>(
  what: string,
  condition: () => T | Promise<T>,
  { timeoutMs = timeoutMsDefault, signal, pollMs = pollMsDefault }: WaitOptions = {},
): Promise<Exclude<T, undefined | null | false>> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  for (;;) {
    signal?.throwIfAborted();
    try {
      const value = await within(what, Promise.resolve(condition()), Math.max(0, deadlineMs - performance.now()));
      if (value !== undefined && value !== null && value !== false)
        return value as Exclude<T, undefined | null | false>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadlineMs) throw new Error(`${timeoutMs} ms have passed without: ${what}`, { cause });
    await Bun.sleep(pollMs);
  }
}

/** The promise's outcome, or a failure that says what was waited for. */
export async function within<T>(what: string, promise: Promise<T>, timeoutMs: number = timeoutMsDefault): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${timeoutMs} ms have passed without: ${what}`)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
