/**
 * Did a page of this front-end send the request, or a program of its user, and not some other web page that a browser
 * has open? Other pages must not be able to kill anything: neither by a request across origins, nor under a name of
 * theirs that they let point to this machine (DNS rebinding).
 */

/** `ownHost`: the name under which others find this front-end. */
export function isFromOwnPage(headers: Headers, ownHost: string): boolean {
  const host = headers.get("host") ?? "";
  if (!isOwnName(host, ownHost)) return false;
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") return false;
  const origin = headers.get("origin");
  // Browsers send it with every POST. Other programs don't, and whoever can run one can kill without us.
  return origin === null || origin === `http://${host}`;
}

/** Nobody can let an address, or `localhost`, point elsewhere. */
function isOwnName(host: string, ownHost: string): boolean {
  const name = host.replace(/:\d+$/, "").toLowerCase();
  return (
    name === "localhost" ||
    name === ownHost.toLowerCase() ||
    /^\d{1,3}(\.\d{1,3}){3}$/.test(name) ||
    /^\[[\da-f:.]+\]$/.test(name)
  );
}
