/**
 * `fetch` for the parts of a bazaar among themselves. Bun's own sends a request to the proxy that the environment names
 * (`http_proxy`, `ALL_PROXY`, …) unless `NO_PROXY` lists the host: on a company's laptop the parts would never find each
 * other, and their traffic would leave the machine.
 */

export function fetchDirectly(url: string, init: RequestInit = {}): Promise<Response> {
  // oxlint-disable-next-line eslint/no-restricted-globals -- the one place that may.
  return fetch(url, { ...init, proxy: false });
}
