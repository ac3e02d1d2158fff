/**
 * The page's connection to the event stream. It reconnects by itself and sends the number of the last order that it
 * received. A silent connection counts as lost, because a frozen front-end, or a phone that left the network, doesn't
 * close it.
 */

import { eventNames, type ServerEvent } from "@stock-bazaar/contract/events";

/** The front-end sends an event at least every second. */
const silentMs = 4000;
const retryFirstMs = 300;
const retryMaxMs = 3000;

/** A stream of events, like an EventSource. */
export interface Source {
  addEventListener(type: string, listener: (event: { data?: unknown; lastEventId?: string }) => void): void;
  close(): void;
}

export interface ConnectionOptions {
  readonly open: (url: string) => Source;
  /** Calls `action` once after `delayMs`. Returns a function that cancels it. */
  readonly after: (delayMs: number, action: () => void) => () => void;
  /** Called with each event. */
  readonly receive: (event: ServerEvent) => void;
  /** Called when the connection is lost; it reconnects by itself. */
  readonly lost: () => void;
  /** Called if the front-end requires another token. The connection then stays closed. */
  readonly refused?: (message: string) => void;
  /** The page of stocks to receive, as a query. By default, the front-end chooses. */
  readonly stocks?: string;
}

/** Opens the connection. Returns a function that closes it. */
export function connect({
  open,
  after,
  receive,
  lost,
  refused = () => {},
  stocks = "",
}: ConnectionOptions): () => void {
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
  const awaitEvent = () => {
    cancel();
    cancel = after(silentMs, lose);
  };
  const start = () => {
    const query = [stocks, lastOrder === "" ? "" : `last-event-id=${lastOrder}`]
      .filter((part) => part !== "")
      .join("&");
    const opened = open(query === "" ? "/events" : `/events?${query}`);
    source = opened;
    awaitEvent();
    for (const name of eventNames) {
      opened.addEventListener(name, ({ data, lastEventId }) => {
        if (source !== opened) return;
        awaitEvent();
        retryMs = retryFirstMs;
        if (lastEventId) lastOrder = lastEventId;
        const parsed: unknown = JSON.parse(String(data));
        receive({ event: name, data: parsed } as ServerEvent);
      });
    }
    opened.addEventListener("refused", ({ data }) => {
      if (source !== opened) return;
      close();
      refused(String(data));
    });
    opened.addEventListener("error", () => {
      if (source === opened) lose();
    });
  };
  start();
  return close;
}
