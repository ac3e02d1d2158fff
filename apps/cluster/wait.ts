/** Waits for conditions, never for a time. The timeout only turns a hang into a readable failure. */

const pollMsDefault = 20;
const timeoutMsDefault = 30_000;

export interface WaitOptions {
  readonly timeoutMs?: number;
  /** When it aborts, the wait rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Time between two checks of the condition. */
  readonly pollMs?: number;
}

/**
 * Resolves with the first value of `condition` that is not `undefined`, `null` or `false`. A condition that throws
 * counts as not met yet; at the timeout its last error becomes the cause.
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

/** Settles like `promise`, or rejects at the timeout with an error that contains `what`. */
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
