/** Stops a long command on a signal, or when the npm that started it has ended. */

import { stopSignals } from "@stock-bazaar/process/stop-signals";
import { CommandError } from "./errors.ts";

const askEveryMs = 250;

/**
 * Resolves with the first reason to stop. Later ones have no effect: on Ctrl-C the terminal sends a signal, and npm
 * passes it on once more.
 */
export function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of stopSignals()) process.on(signal, () => resolve(signal));
    // npm runs the command in a shell and sends signals to that shell only, which dies without passing them on. And npm
    // itself may be killed with -9. In both cases this process would run on unnoticed. Without npm, a command may outlive
    // its parent.
    if (process.env.npm_lifecycle_event === undefined) return;
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      resolve("the end of npm");
    }, askEveryMs);
    watch.unref();
  });
}

/** Aborts with the first reason to stop, as an error for the user. `consequence` is added to the message. */
export function abortOnStop(consequence?: string): AbortSignal {
  const stopping = new AbortController();
  void nextStopSignal().then((reason) => {
    const stopped = `stopped by ${reason}`;
    stopping.abort(new CommandError(consequence === undefined ? stopped : `${stopped}: ${consequence}`));
  });
  return stopping.signal;
}
