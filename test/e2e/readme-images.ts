/**
 * Makes the screenshots of the README (`npm run screenshots`) from a bazaar that it starts: a failover on a wide light page,
 * and a dark page on a phone.
 */

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "@stock-bazaar/cluster/service";
import type { Browser, Page } from "playwright-core";
import { launchBrowser, openDashboard } from "./support/browser.ts";
import type { TestHooks } from "./support/cluster.ts";
import { startUp } from "./support/up.ts";

const folder = join(root, "docs", "images");
const quality = 0.86;
const bytesMax = 200_000;
/** Enough orders to fill the charts. */
const ordersBefore = 400;

const undo: (() => Promise<unknown>)[] = [];
const hooks: TestHooks = {
  onTestFailed: () => {},
  onTestFinished: (finish) => void undo.unshift(async () => finish({ task: {} } as Parameters<typeof finish>[0])),
};

try {
  const { url } = await startUp(hooks);
  const browser = await launchBrowser();
  undo.unshift(() => browser.close());
  await takeAll(browser, url);
} finally {
  for (const step of undo) await step();
}

async function takeAll(browser: Browser, url: string): Promise<void> {
  const { page: desk } = await openDashboard(hooks, browser, url, {
    colorScheme: "light",
    viewport: { width: 1360, height: 1110 },
  });
  const helpers = await Promise.all([1, 2, 3].map(() => openDashboard(hooks, browser, url)));
  for (const page of [desk, ...helpers.map((opened) => opened.page)]) {
    await page.getByRole("button", { name: "Keep trading" }).click();
  }
  const numbered = desk.getByTitle(/^Follow order/).first();
  for (let newest = 0; newest < ordersBefore; ) {
    newest = Number((await numbered.textContent())?.replaceAll(",", "") ?? 0);
    await Bun.sleep(200);
  }
  await desk.getByLabel("Quantity").fill("5");
  await desk.getByRole("button", { name: "Place the order" }).click();
  await desk.getByText("Replica 1 has it").waitFor();
  await desk.getByRole("button", { name: "Kill the leader" }).click();
  await desk.getByText("Replica 2 leads, term 2").waitFor();
  await desk
    .getByRole("listitem")
    .filter({ hasText: /Replica 3.*away.*behind/ })
    .waitFor();
  await keep(browser, desk, "dashboard-failover.webp");

  await desk.getByText(/Replica 3 is back/).waitFor();
  const { page: phone } = await openDashboard(hooks, browser, url, {
    colorScheme: "dark",
    viewport: { width: 390, height: 980 },
    deviceScaleFactor: 2,
    isMobile: true,
    hasTouch: true,
  });
  await phone.getByText("▲").first().waitFor();
  await keep(browser, phone, "dashboard-phone.webp");
}

/** Saves a screenshot as WebP, which the browser encodes. */
async function keep(browser: Browser, page: Page, file: string): Promise<void> {
  const png = await page.screenshot();
  const painter = await browser.newPage();
  const webp = await painter.evaluate<string>(
    `fetch("data:image/png;base64,${png.toString("base64")}").then((r) => r.blob()).then(createImageBitmap).then((image) => {
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.convertToBlob({ type: "image/webp", quality: ${quality} });
    }).then((blob) => blob.arrayBuffer()).then((buffer) => new Uint8Array(buffer).toBase64())`,
  );
  await painter.close();
  const bytes = Buffer.from(webp, "base64");
  if (bytes.length > bytesMax) throw new Error(`${file} must have at most ${bytesMax} bytes (got ${bytes.length})`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, file), bytes);
  process.stdout.write(`docs/images/${file}: ${bytes.length} bytes\n`);
}
