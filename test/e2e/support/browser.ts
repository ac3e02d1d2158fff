/**
 * A real browser: a Chromium that comes in a package, or the one that CHROMIUM names. What a page complains of is
 * collected, so that a test can demand that it complains of nothing.
 */

import { join } from "node:path";
import packaged from "@sparticuz/chromium";
import { root } from "@stock-bazaar/cluster/service";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestHooks } from "./cluster.ts";

/** Nothing leaves this machine, and no sandbox is needed for pages of our own. What protects one page from another stays on. */
const args = ["--no-sandbox", "--headless=shell", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"];
/** Only turns a hang into a failure: a browser draws without a graphics card, on cores that it shares. */
const waitMs = 30_000;

export async function launchBrowser({ locale = "en_GB.UTF-8" } = {}): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? (await packaged.executablePath());
  return chromium.launch({ executablePath, args, env: { ...process.env, LC_ALL: locale } });
}

export interface OpenPage {
  readonly page: Page;
  /** Errors, warnings, and requests to anybody but the page's own front-end. */
  readonly complaints: readonly string[];
}

/** Opens the dashboard. The page is closed after the test; when that fails, a picture of it is kept. */
export async function openDashboard(
  context: TestHooks,
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<OpenPage> {
  const view = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  view.setDefaultTimeout(waitMs);
  const page = await view.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(`${url}/`) && !request.url().startsWith("data:")) complaints.push(request.url());
  });
  context.onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail") await screenshot(page, `failed ${task.name}`);
    await view.close();
  });
  await page.goto(`${url}/`);
  return { page, complaints };
}

/** What stands in the way of assistive technology, one line each (WCAG 2.2 A and AA, as far as axe can tell). */
export async function barriers(page: Page): Promise<string[]> {
  // The color of a row that flashes is on its way to the one that is read.
  await page.evaluate(
    `Promise.allSettled(document.getAnimations()
      .filter((animation) => Number.isFinite(animation.effect.getComputedTiming().endTime))
      .map((animation) => animation.finished))`,
  );
  await page.evaluate(axe.source);
  const found: unknown = await page.evaluate(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => [id, html, failureSummary].join(" · "))))`,
  );
  return found as string[];
}

/** Into a folder that git ignores. */
export async function screenshot(
  page: Page,
  name: string,
  options: { readonly fullPage?: boolean } = {},
): Promise<void> {
  const file = `${name.replace(/[^\w-]+/g, "-").slice(0, 80)}.png`;
  await page.screenshot({ path: join(root, "test-results", "screenshots", file), ...options });
}
