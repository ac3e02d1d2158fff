/** Keeps the model up to date with the front-end's events. */

import { useEffect, useState } from "preact/hooks";
import type { ApiOptions } from "./api.ts";
import { connect } from "./connection.ts";
import { applyEvent, emptyModel, loseConnection, type Model } from "./model.ts";

export const browserApi: ApiOptions = {
  fetch: (url, init) => fetch(url, init),
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

/** `stocks` is the page of stocks to show, as a query of `/events`. */
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
        receive: (event) => change((before) => applyEvent(before, event, Date.now())),
        lost: () => change((before) => loseConnection(before, Date.now())),
      }),
    [stocks],
  );
  return model;
}
