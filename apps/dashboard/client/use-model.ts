/** Keeps the model up to date with the front-end's events. */

import { useEffect, useState } from "preact/hooks";
import type { ApiOptions } from "./api.ts";
import { connect } from "./connection.ts";
import { openEvents } from "./event-reader.ts";
import { applyEvent, emptyModel, loseConnection, type Model } from "./model.ts";
import { currentToken, fetchWithToken, keepToken } from "./token.ts";

export const browserApi: ApiOptions = {
  fetch: fetchWithToken,
  nowMs: () => performance.now(),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export interface LiveModel {
  readonly model: Model;
  /** Why the front-end sends no events; `undefined` unless it requires another token. */
  readonly refusal: string | undefined;
  readonly hasToken: boolean;
  /** Connects again with this token; without one if it is empty. */
  readonly changeToken: (token: string) => void;
}

/** `stocks` is the page of stocks to show, as a query of `/events`. */
export function useModel(stocks: string): LiveModel {
  const [model, change] = useState(emptyModel);
  const [token, setToken] = useState(currentToken);
  const [refusal, setRefusal] = useState<string | undefined>();
  const changeToken = (next: string) => {
    keepToken(next);
    setRefusal(undefined);
    setToken(next);
  };
  useEffect(
    () =>
      connect({
        stocks,
        open: (url) => openEvents(url, fetchWithToken),
        after(delayMs, action) {
          const timer = setTimeout(action, delayMs);
          return () => clearTimeout(timer);
        },
        refused(message) {
          setRefusal(message);
          // The page must not go on to show what another token was allowed to see.
          change(emptyModel);
        },
        receive: (event) => change((before) => applyEvent(before, event, Date.now())),
        lost: () => change((before) => loseConnection(before, Date.now())),
      }),
    [stocks, token],
  );
  return { model, refusal, hasToken: token !== "", changeToken };
}
