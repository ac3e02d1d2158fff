/** What ends a command that runs for long: a signal, or the end of the npm that started it. */

import { stopSignals } from "@stock-bazaar/process/stop-signals";
import { CommandError } from "./errors.ts";

const askEveryMs = 250;

/**
 * Resolves with the first reason to stop. Later ones change nothing: npm passes on a Ctrl-C that the terminal has sent
 * as well.
 */
export function nextStopSignal(): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of stopSignals()) process.on(signal, () => resolve(signal));
    // npm sends a signal to the shell that it has put in between, which dies of it and tells nobody; and npm itself may
    // be killed with -9. Either way this process would run on, unseen. Whoever starts it by hand may leave it behind.
    if (process.env.npm_lifecycle_event === undefined) return;
    const parent = process.ppid;
    const watch = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(watch);
      resolve("npm is gone");
    }, askEveryMs);
    watch.unref();
  });
}

/** Aborts with the first reason to stop, as an error for the user; `consequence`: what follows from it, if that isn't plain. */
export function abortOnStop(consequence?: string): AbortSignal {
  const stopping = new AbortController();
  void nextStopSignal().then((reason) => {
    const stopped = `stopped by ${reason}`;
    stopping.abort(new CommandError(consequence === undefined ? stopped : `${stopped}: ${consequence}`));
  });
  return stopping.signal;
}
