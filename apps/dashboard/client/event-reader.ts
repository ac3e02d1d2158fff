/** Reads server-sent events with `fetch`: the browser's own EventSource can't send a token. */

import type { Source } from "./connection.ts";

type Listener = Parameters<Source["addEventListener"]>[1];
type Dispatch = (type: string, event: Parameters<Listener>[0]) => void;

/**
 * Opens the stream. Besides the events, listeners get `refused` with a message if the front-end requires another token,
 * and `error` if there is no stream or when it ends.
 */
export function openEvents(url: string, fetch: (url: string, init: RequestInit) => Promise<Response>): Source {
  const listeners = new Map<string, Listener>();
  const closed = new AbortController();
  const dispatch: Dispatch = (type, event) => {
    if (!closed.signal.aborted) listeners.get(type)?.(event);
  };
  void read((init) => fetch(url, { ...init, signal: closed.signal }), dispatch).then(
    () => dispatch("error", {}),
    () => dispatch("error", {}),
  );
  return {
    addEventListener: (type, listener) => void listeners.set(type, listener),
    close: () => closed.abort(),
  };
}

async function read(request: (init: RequestInit) => Promise<Response>, dispatch: Dispatch): Promise<void> {
  const response = await request({ headers: { accept: "text/event-stream" }, cache: "no-store" });
  if (response.status === 401 || response.status === 403) {
    const body = (await response.json()) as { error?: { message?: unknown } };
    dispatch("refused", { data: body.error?.message });
    return;
  }
  if (response.status !== 200 || response.body === null) return;
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (rest + decoder.decode(value, { stream: true })).split("\n\n");
    rest = blocks.pop() ?? "";
    for (const block of blocks) dispatchBlock(block, dispatch);
  }
}

function dispatchBlock(block: string, dispatch: Dispatch): void {
  const fields = new Map(
    block.split("\n").map((line) => {
      const colon = line.indexOf(": ");
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
  dispatch(fields.get("event") ?? "message", { data: fields.get("data"), lastEventId: fields.get("id") ?? "" });
}
