/**
 * The page's line to the front-end. It opens again by itself, says which order it heard of last, and takes a line on
 * which nothing comes for lost: a frozen front-end, or a phone that left the network, ends no connection.
 */

import { eventNames, type ServerEvent } from "./words.ts";

/** Something comes every second. */
const silentMs = 4000;
const retryFirstMs = 300;
const retryMaxMs = 3000;

/** An EventSource, as far as it is used here. */
export interface Source {
  addEventListener(type: string, listener: (event: { data?: unknown; lastEventId?: string }) => void): void;
  close(): void;
}

export interface ConnectionOptions {
  readonly open: (url: string) => Source;
  /** Calls once, after `delayMs`; returns what cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void;
  readonly hear: (event: ServerEvent) => void;
  readonly lost: () => void;
  /** Which stocks to tell of, as a query; absent: whatever the front-end tells of by itself. */
  readonly stocks?: string;
}

/** Returns what closes it. */
export function connect({ open, after, hear, lost, stocks = "" }: ConnectionOptions): () => void {
  let lastOrder = "";
  let retryMs = retryFirstMs;
  let source: Source | undefined;
  let cancel = () => {};

  const close = () => {
    cancel();
    source?.close();
    source = undefined;
  };
  const lose = () => {
    close();
    lost();
    cancel = after(retryMs, start);
    retryMs = Math.min(retryMs * 2, retryMaxMs);
  };
  const waitForLife = () => {
    cancel();
    cancel = after(silentMs, lose);
  };
  const start = () => {
    const query = [stocks, lastOrder === "" ? "" : `last-event-id=${lastOrder}`]
      .filter((part) => part !== "")
      .join("&");
    const opened = open(query === "" ? "/events" : `/events?${query}`);
    source = opened;
    waitForLife();
    for (const name of eventNames) {
      opened.addEventListener(name, ({ data, lastEventId }) => {
        if (source !== opened) return;
        waitForLife();
        retryMs = retryFirstMs;
        if (lastEventId) lastOrder = lastEventId;
        const told: unknown = JSON.parse(String(data));
        hear({ event: name, data: told } as ServerEvent);
      });
    }
    opened.addEventListener("error", () => {
      if (source === opened) lose();
    });
  };
  start();
  return close;
}
