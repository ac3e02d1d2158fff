/**
 * Builds the dashboard as one self-contained HTML page: it needs no other server, and page and script always have the
 * same version. It is bundled at the first request, so that it doesn't slow down the start of a front-end.
 */

export interface Page {
  readonly html: string;
  /** Allows only this script, this style and requests to the page's own origin. */
  readonly contentSecurityPolicy: string;
}

const icon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f766e"/>' +
      '<path d="M6 22l6-7 5 4 9-11" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>',
  );

/** The text until the script draws the page. It stays if the script can't run or the browser lacks a feature. */
const unsupported =
  "This page needs JavaScript and a browser of 2023 or later: Chrome or Edge 111, Firefox 115, Safari 16.4. " +
  "Without them, use /stocks, /orders and /cluster.";

let bundled: Promise<Page> | undefined;

/** Bundles the page once. After a failure the next call tries again. */
export function dashboardPage(): Promise<Page> {
  bundled ??= bundlePage().catch((error: unknown) => {
    bundled = undefined;
    throw error;
  });
  return bundled;
}

async function bundlePage(): Promise<Page> {
  const { outputs } = await Bun.build({
    entrypoints: [`${import.meta.dirname}/client/main.tsx`],
    target: "browser",
    minify: true,
    define: { "process.env.NODE_ENV": '"production"' },
  });
  const read = async (ending: string) => {
    const output = outputs.find(({ path }) => path.endsWith(ending));
    if (!output) throw new Error(`the dashboard's bundle must contain a ${ending} file (it has none)`);
    // Inside the text, either tag would end its element too early.
    return (await output.text()).replaceAll("</script", "<\\/script").replaceAll("</style", "<\\/style");
  };
  const [script, style] = await Promise.all([read(".js"), read(".css")]);
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="description" content="Stocks, orders and the cluster of a Stock Bazaar, live">',
    `<title>Stock Bazaar</title><link rel="icon" href="${icon}"><style>${style}</style></head>`,
    `<body><div id="app"><p id="unsupported">${unsupported}</p></div>`,
    `<script type="module">${script}</script></body></html>`,
  ].join("\n");
  const contentSecurityPolicy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return { html, contentSecurityPolicy };
}

function hashOf(text: string): string {
  return `'sha256-${new Bun.CryptoHasher("sha256").update(text).digest("base64")}'`;
}
