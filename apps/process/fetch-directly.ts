/**
 * `fetch` without a proxy, for requests between the processes of a bazaar.
 *
 * Bun's own `fetch` sends a request to the proxy that the environment names (`http_proxy`, `ALL_PROXY`, …) unless
 * `NO_PROXY` lists the host. On a company's laptop the processes would never reach each other, and their traffic would
 * leave the machine.
 */

import { clientTokenHeaders } from "./client-token.ts";
import { httpsTrust } from "./https-trust.ts";

export function fetchDirectly(url: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...clientTokenHeaders(), ...Object.fromEntries(new Headers(init.headers)) };
  // oxlint-disable-next-line eslint/no-restricted-globals -- the only place that may use it.
  return fetch(url, { ...init, headers, proxy: false, tls: httpsTrust() });
}
