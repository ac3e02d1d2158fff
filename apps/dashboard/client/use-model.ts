/** The model, kept up to date by the front-end's events for as long as the page is there. */

import { useEffect, useState } from "preact/hooks";
import type { ApiOptions } from "./api.ts";
import { connect } from "./connection.ts";
import { emptyModel, hear, loseConnection, type Model } from "./model.ts";

export const browserApi: ApiOptions = {
  fetch: (url, init) => fetch(url, init),
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** `stocks`: which of them are shown, as a query of `/events`. */
export function useModel(stocks: string): Model {
  const [model, change] = useState(emptyModel);
  useEffect(
    () =>
      connect({
        stocks,
        open: (url) => new EventSource(url),
        after(delayMs, action) {
          const timer = setTimeout(action, delayMs);
          return () => clearTimeout(timer);
        },
        hear: (event) => change((before) => hear(before, event, Date.now())),
        lost: () => change((before) => loseConnection(before, Date.now())),
      }),
    [stocks],
  );
  return model;
}
