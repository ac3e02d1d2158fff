/**
 * A real browser: the Chromium of a package, or the one at CHROMIUM. It collects a page's errors and warnings, so that a test
 * can require that there are none.
 */

import { join } from "node:path";
import packaged from "@sparticuz/chromium";
import { root } from "@stock-bazaar/cluster/service";
import axe from "axe-core";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { TestHooks } from "./cluster.ts";

/** No proxy, because nothing may leave this machine. Our own pages need no sandbox, but keep the isolation between pages. */
const args = ["--no-sandbox", "--headless=shell", "--disable-gpu", "--disable-dev-shm-usage", "--no-proxy-server"];
/** Only turns a hang into a failure. Long, because the browser draws without a graphics card and shares its cores. */
const waitMs = 30_000;

export async function launchBrowser({ locale = "en_GB.UTF-8" } = {}): Promise<Browser> {
  const executablePath = process.env.CHROMIUM ?? (await packaged.executablePath());
  return chromium.launch({ executablePath, args, env: { ...process.env, LC_ALL: locale } });
}

export interface OpenPage {
  readonly page: Page;
  /** Errors, warnings, and requests to other hosts than the page's own front-end. */
  readonly complaints: readonly string[];
}

/** Opens the dashboard. The page is closed after the test; if the test fails, a screenshot is kept. */
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

/** Returns a line for each accessibility violation that axe finds (WCAG 2.2 A and AA). */
export async function barriers(page: Page): Promise<string[]> {
  // Waits for the flash of changed rows to end: axe must measure the final colors.
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

/** Saves a screenshot in a folder that git ignores. */
export async function screenshot(
  page: Page,
  name: string,
  options: { readonly fullPage?: boolean } = {},
): Promise<void> {
  const file = `${name.replace(/[^\w-]+/g, "-").slice(0, 80)}.png`;
  await page.screenshot({ path: join(root, "test-results", "screenshots", file), ...options });
}
