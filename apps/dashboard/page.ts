/**
 * The dashboard as one HTML page that brings all it needs: no other server is asked for anything, and a page can't get
 * the script of another version. Bundled when somebody first asks for it, so that a front-end starts as fast as without.
 */

export interface Page {
  readonly html: string;
  /** Allows this very script and style, talking to where the page came from, and nothing else. */
  readonly contentSecurityPolicy: string;
}

const icon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#0f766e"/>' +
      '<path d="M6 22l6-7 5 4 9-11" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round" stroke-linejoin="round"/></svg>',
  );

/** What the page shows until its script has drawn it, so for ever where that can't run or doesn't know what it uses. */
const unsupported =
  "This page needs JavaScript and a browser of 2023 or later: Chrome or Edge 111, Firefox 115, Safari 16.4. " +
  "The same by hand: /stocks, /orders, /cluster.";

let bundled: Promise<Page> | undefined;

/** Made once. After a failure the next call tries again. */
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
    if (!output) throw new Error(`the dashboard's bundle has no ${ending}`);
    // Either would end its element before its own end.
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
