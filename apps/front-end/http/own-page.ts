/**
 * Distinguishes requests of this front-end's own page, or of a program, from those of other web pages in a browser.
 *
 * Other pages must not be able to kill a replica: neither by a request across origins, nor under a name of theirs that
 * resolves to this machine (DNS rebinding).
 */

/** `ownHost` is the configured host name of this front-end, which is accepted besides addresses and `localhost`. */
export function isFromOwnPage({ headers, url }: Request, ownHost: string): boolean {
  const host = headers.get("host") ?? "";
  if (!isOwnName(host, ownHost)) return false;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = headers.get("origin");
  // Browsers send it with every POST. Programs don't, and a user who can run one can also kill a process directly.
  return origin === null || origin === `${url.startsWith("https:") ? "https" : "http"}://${host}`;
}

/** DNS rebinding needs a name of the attacker: it can't use an address or `localhost`. */
function isOwnName(host: string, ownHost: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return (
    name === "localhost" ||
    name === ownHost.toLowerCase() ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) ||
    /^\[[\da-f:.]+\]$/.test(name)
  );
}
