/** Asks a front-end over HTTP whether the bazaar is ready, and which replica leads. */

import { askCluster } from "@stock-bazaar/client/ask-cluster";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";

const askEveryMs = 100;
const answerTimeoutMs = 2000;

export interface Leadership {
  readonly leader: number;
  readonly term: number;
}

/** Resolves with true when `/readyz` answers 200, or with false when `signal` aborts. */
export async function waitUntilReady(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    const response = await ask(`${url}/readyz`, signal);
    if (response?.status === 200) return true;
    await Bun.sleep(askEveryMs);
  }
  return false;
}

/** Resolves with `undefined` if the front-end names no leader or doesn't answer. */
export async function askLeader(url: string, signal: AbortSignal): Promise<Leadership | undefined> {
  try {
    const { leader, term } = await askCluster(url, signal);
    return leader === null ? undefined : { leader, term };
  } catch {
    return undefined;
  }
}

/** Resolves with `undefined` if there is no answer: the services may still be starting. */
async function ask(url: string, signal: AbortSignal): Promise<Response | undefined> {
  try {
    return await fetchDirectly(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]) });
  } catch {
    return undefined;
  }
}
