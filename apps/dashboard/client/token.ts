/**
 * The token of this page, where the front-end requires one. It is kept for this tab only, until the tab is closed, and is
 * sent as a header: a cookie would be sent with requests of other pages too, and a URL ends up in logs.
 */

const storageKey = "bazaar-token";
/** For a browser that keeps nothing for this page. */
let unkept = "";

/** Empty if there is none. */
export function currentToken(): string {
  try {
    return sessionStorage.getItem(storageKey) ?? unkept;
  } catch {
    return unkept;
  }
}

export function keepToken(token: string): void {
  unkept = token;
  try {
    if (token === "") sessionStorage.removeItem(storageKey);
    else sessionStorage.setItem(storageKey, token);
  } catch {
    // It is used until the page is left.
  }
}

/** `fetch` with the token. */
export function fetchWithToken(url: string, init: RequestInit = {}): Promise<Response> {
  const token = currentToken();
  if (token === "") return fetch(url, init);
  const headers = new Headers(init.headers);
  headers.set("authorization", `Bearer ${token}`);
  return fetch(url, { ...init, headers });
}
