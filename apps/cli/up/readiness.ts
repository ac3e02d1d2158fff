/** Asks the front-end over HTTP whether the bazaar is open, and who leads. */

import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";

const askEveryMs = 100;
const answerTimeoutMs = 2000;

export interface Leadership {
  readonly leader: number;
  readonly term: number;
}

/** Resolves with true when `/readyz` says yes, with false when `signal` ends the wait. */
export async function waitUntilReady(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const response = await ask(`${url}/readyz`, signal);
    if (response?.status === 200) return true;
    await Bun.sleep(askEveryMs);
  }
  return false;
}

/** `undefined` when the front-end doesn't say. */
export async function askLeader(url: string, signal: AbortSignal): Promise<Leadership | undefined> {
  try {
    const { leader, term } = await askCluster(url, signal);
    return leader === null ? undefined : { leader, term };
  } catch {
    return undefined;
  }
}

/** `undefined`: no answer, which here only means "not yet". */
async function ask(url: string, signal: AbortSignal): Promise<Response | undefined> {
  try {
    return await fetchDirectly(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]) });
  } catch {
    return undefined;
  }
}
