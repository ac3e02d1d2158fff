/** The headers of pages: what keeps other pages from framing them, reaching into them, or learning their address. */

import type { ResponseHeaderName } from "@stock-bazaar/contract/headers";

export function pageHeaders(contentSecurityPolicy: string) {
  return {
    "content-security-policy": contentSecurityPolicy,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
  } satisfies Partial<Record<ResponseHeaderName, string>>;
}

export const pageHeaderNames = Object.keys(pageHeaders("")) as ResponseHeaderName[];
