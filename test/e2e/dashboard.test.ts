/** The dashboard in a real browser: what it shows during trades, and while processes of the bazaar are away. */

import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { connect } from "@stock-bazaar/sqlite/connection";
import { catalogFile } from "@stock-bazaar/ledger/sqlite/database";
import { orderNumber } from "@stock-bazaar/client/requests";
import { eventually } from "@stock-bazaar/cluster/wait";
import { dashboardPage } from "@stock-bazaar/dashboard/page";
import { at } from "@stock-bazaar/shared/json";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFailed, onTestFinished, test } from "vitest";
import { get, newTrade, trade } from "../support/requests.ts";
import { barriers, launchBrowser, openDashboard, screenshot } from "./support/browser.ts";
import { Cluster, type TestHooks } from "./support/cluster.ts";
import { shareUp, startUp, type Up } from "./support/up.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const row = (page: Page, stock: string) => page.getByRole("row", { name: new RegExp(`^${stock} `) });
const part = (page: Page, name: string | RegExp) =>
  page.getByRole("list", { name: "The cluster" }).getByRole("listitem").filter({ hasText: name });
const crowned = (page: Page) => part(page, "leads");
const latest = (page: Page, number: number) => page.getByTitle(`Follow order ${number}`, { exact: true });

const quantityOf = async (url: string, stock: string) =>
  Number(at((await get(`${url}/stocks/${stock}`)).body, "data", "quantity"));

/** Resolves when this order or a later one is listed: the robot's orders may have pushed it off the list already. */
const listedUpTo = (page: Page, number: number) =>
  eventually(`order ${number} is listed`, async () => {
    const newest = await page
      .getByTitle(/^Follow order \d+$/)
      .first()
      .getAttribute("title");
    return Number(/\d+/.exec(newest ?? "")?.[0]) >= number;
  });

/** Resolves when this is the quantity of the stock on the page. */
const boardShows = (page: Page, stock: string, quantity: number) =>
  row(page, stock)
    .getByRole("cell")
    .nth(1)
    .filter({ hasText: new RegExp(`(?<!\\d)${quantity}$`) })
    .waitFor();

/**
 * The text of the focused element and its outline; if the control itself is invisible, the outline of its label's text.
 */
const focused = `(() => {
  const element = document.activeElement;
  if (!element || element === document.body) return { text: "", outline: "none" };
  const seen = element.type === "radio" ? element.nextElementSibling : element;
  return { text: (element.closest("label") ?? element).textContent, outline: getComputedStyle(seen).outlineStyle };
})()`;

async function place(
  page: Page,
  { stock, quantity, type }: { stock: string; quantity: number; type: "Buy" | "Sell" },
): Promise<number> {
  await page.getByLabel("Stock", { exact: true }).selectOption(stock);
  await page.getByLabel("Quantity").fill(String(quantity));
  await page.getByText(type, { exact: true }).click();
  await page.getByRole("button", { name: "Place the order" }).click();
  const verb = type === "Buy" ? "bought" : "sold";
  const outcome = page.getByText(new RegExp(`^Order \\d+: ${verb} ${quantity} units? of ${stock} in `));
  return Number(/\d+/.exec((await outcome.textContent()) ?? "")?.[0]);
}

describe("with `npm start`", () => {
  let up: Up;
  shareUp((shared) => (up = shared));

  test("load, trade, see the board change, kill the leader, see the crown move and the order arrive", async (context) => {
    const { page, complaints } = await openDashboard(context, browser, up.url, { colorScheme: "light" });

    await row(page, "GameStart").getByText("100").waitFor();
    await page.getByText("Live", { exact: true }).waitFor();
    await crowned(page).filter({ hasText: "Replica 3" }).waitFor();

    const first = await place(page, { stock: "GameStart", quantity: 7, type: "Buy" });
    expect(first).toBe(1);
    await row(page, "GameStart").getByText("93").waitFor();
    await latest(page, first).waitFor();
    await page.getByRole("listitem").filter({ hasText: "Ledger has it" }).waitFor();
    for (const id of [1, 2, 3])
      await page
        .getByRole("listitem")
        .filter({ hasText: `Replica ${id} has it` })
        .waitFor();
    expect((await get(`${up.url}/orders/1`)).body).toEqual({
      data: { number: 1, name: "GameStart", type: "buy", quantity: 7 },
    });

    await page.getByRole("button", { name: "Keep trading" }).click();
    await listedUpTo(page, first + 5);
    await page.getByRole("button", { name: "Kill the leader" }).click();
    await crowned(page).filter({ hasText: "Replica 2" }).waitFor();
    await page.getByText("Replica 3 is away").waitFor();
    const during = await place(page, { stock: "MenhirCo", quantity: 5, type: "Sell" });
    await listedUpTo(page, during);
    // The robot trades up to three units at once.
    await page.getByText(/^Order [\d,]+: 5 units of MenhirCo sold/).waitFor();
    await screenshot(page, "dashboard-light-failover");
    await page.getByText(/Replica 3 is back/).waitFor();
    await part(page, "Replica 3").filter({ hasText: "follows" }).waitFor();

    await page.getByRole("button", { name: "Stop and check" }).click();
    const verdict = page.getByText(/orders acknowledged and found\. None is lost\.$/);
    expect(Number.parseInt((await verdict.textContent()) ?? "", 10)).toBeGreaterThan(10);
    expect(await page.getByText("unanswered").locator("..").textContent()).toBe("unanswered0");
    expect(complaints).toEqual([]);
  });

  test("a frozen leader is shown as silent, is replaced, and follows after it resumes", async (context) => {
    const { page, complaints } = await openDashboard(context, browser, up.url);
    const frozen = Number(at((await get(`${up.url}/cluster`)).body, "data", "leader"));
    const next = frozen === 3 ? 2 : 3;
    const before = await quantityOf(up.url, "FishCo");
    await crowned(page)
      .filter({ hasText: `Replica ${frozen}` })
      .waitFor();
    await page.getByRole("button", { name: "Freeze the leader" }).click();
    await page.getByText(`Replica ${frozen} is silent`).waitFor();
    await crowned(page)
      .filter({ hasText: `Replica ${next}` })
      .waitFor();
    await place(page, { stock: "FishCo", quantity: 3, type: "Buy" });
    await boardShows(page, "FishCo", before - 3);
    await part(page, `Replica ${frozen}`).filter({ hasText: "follows" }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("another web page can neither kill the leader nor read the events", async (context) => {
    const term = async () => at((await get(`${up.url}/cluster`)).body, "data", "term");
    const before = await term();
    const elsewhere = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: () =>
        new Response("<!doctype html><title>Elsewhere</title>", { headers: { "content-type": "text/html" } }),
    });
    context.onTestFinished(() => elsewhere.stop(true));
    const view = await browser.newContext();
    context.onTestFinished(() => view.close());
    const page = await view.newPage();
    await page.goto(elsewhere.url.href);

    const path = `${up.url}/faults/kill-leader`;
    const refused = page.waitForResponse(path);
    await page.evaluate((url) => fetch(url, { method: "POST", mode: "no-cors" }).catch(() => {}), path);
    expect((await refused).status()).toBe(403);
    const outcomes = await page.evaluate(
      async ([kill = "", events = ""]) => {
        const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
        return Promise.all(
          [kill, events].map((url) =>
            fetch(url, url === kill ? json : {}).then(
              () => "read",
              () => "refused",
            ),
          ),
        );
      },
      [path, `${up.url}/events`],
    );
    expect(outcomes).toEqual(["refused", "refused"]);
    expect(await term()).toBe(before);
  });
});

describe("while processes are away", () => {
  let cluster: Cluster;
  Cluster.share((shared) => (cluster = shared));

  test("a trade without an answer is sent again with the same key and executes once", async (context) => {
    const { page } = await openDashboard(context, browser, cluster.url);
    await row(page, "FishCo").getByText("100").waitFor();
    await cluster.service("front-end-1").kill();
    const placed = place(page, { stock: "FishCo", quantity: 9, type: "Buy" });
    await page.getByText(/Sending again with the same key/).waitFor();
    cluster.service("front-end-1").start();
    expect(await placed).toBe(1);
    await row(page, "FishCo").getByText("91").waitFor();
  });

  test("while the catalog is away, the page warns that its prices may be old", async (context) => {
    const { page } = await openDashboard(context, browser, cluster.url);
    const before = await quantityOf(cluster.url, "FishCo");
    await boardShows(page, "FishCo", before);
    await cluster.service("catalog").kill();
    await page.getByRole("alert").getByText("The catalog is away.").waitFor();
    await part(page, "Catalog").filter({ hasText: "away" }).waitFor();
    cluster.service("catalog").start();
    await place(page, { stock: "FishCo", quantity: 1, type: "Buy" });
    await boardShows(page, "FishCo", before - 1);
    expect(await page.getByRole("alert").textContent()).toBe("");
  });

  test("while the catalog can't write, the page shows a warning with the reason", async (context) => {
    const { page } = await openDashboard(context, browser, cluster.url);
    const other = connect(catalogFile(cluster.catalogFolder), "write");
    context.onTestFinished(() => void other.close());
    other.exec("BEGIN IMMEDIATE");
    await page
      .getByRole("alert")
      .getByText(/can't write its ledger.*catalog\.db is locked by/)
      .waitFor();
    await part(page, "Catalog").filter({ hasText: "read-only" }).waitFor();
    other.exec("ROLLBACK");
    await part(page, "Catalog").filter({ hasText: "live" }).waitFor();
    expect(await page.getByRole("alert").textContent()).toBe("");
  });
});

test("without a supervisor there are no fault buttons; after a lost connection the page shows the missed orders", async (context) => {
  const cluster = await Cluster.start(context, { frontEnds: 2 });
  const { page } = await openDashboard(context, browser, cluster.url);
  await row(page, "GameStart").getByText("100").waitFor();
  expect(await page.getByRole("button", { name: /the leader/ }).count()).toBe(0);
  const first = await place(page, { stock: "GameStart", quantity: 1, type: "Buy" });
  await latest(page, first).waitFor();

  await cluster.service("front-end-1").kill();
  await page.getByRole("alert").getByText("The front-end doesn't answer.").waitFor();
  await part(page, "Front-end").filter({ hasText: "doesn't answer" }).waitFor();
  const meanwhile = [];
  for (let count = 0; count < 3; count += 1) {
    meanwhile.push(orderNumber((await trade(cluster.frontEndUrl(2), newTrade({ type: "buy" }))).body));
  }
  cluster.service("front-end-1").start();
  await page.getByText("Live", { exact: true }).waitFor();
  expect(meanwhile).toEqual([first + 1, first + 2, first + 3]);
  for (const number of [first, ...meanwhile]) {
    await latest(page, number ?? 0).waitFor();
    expect(await latest(page, number ?? 0).count()).toBe(1);
  }
  await row(page, "GameStart").getByText("96").waitFor();
  expect(await page.getByRole("alert").textContent()).toBe("");
  await page.getByText("Connected again").waitFor();

  // The picture shows the other front-end, even when it is away.
  const other = page.getByRole("list", { name: "Other front-ends" }).getByRole("listitem");
  const { host } = new URL(cluster.frontEndUrl(2));
  await other.filter({ hasText: `${host} live` }).waitFor();
  await cluster.service("front-end-2").kill();
  await other.filter({ hasText: `${host} away` }).waitFor();
});

test("at a front-end with an unsupported dialect, the page shows everything but offers no trades", async (context) => {
  const up = await startUp(context, { args: ["--dialect", "toy-store"] });
  const { page, complaints } = await openDashboard(context, browser, up.url);
  await crowned(page).filter({ hasText: "Replica 3" }).waitFor();
  await part(page, "Front-end (toy-store)").waitFor();
  await page.getByText("This front-end uses the dialect toy-store").waitFor();
  for (const name of ["Place the order", "Follow", "Keep trading"])
    expect(await page.getByRole("button", { name, exact: true }).count(), name).toBe(0);

  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ name: "GameStart", quantity: 7 });
  expect((await fetchDirectly(`${up.url}/orders`, { method: "POST", headers, body })).status).toBe(200);
  await row(page, "GameStart").getByText("93").waitFor();
  await latest(page, 1).waitFor();
  expect(await barriers(page)).toEqual([]);
  expect(complaints).toEqual([]);
});

describe("accessibility", () => {
  let cluster: Cluster;
  Cluster.share((shared) => (cluster = shared));

  test("by keyboard alone, an order is placed and followed, and each focused element is visible", async (context) => {
    const { page, complaints } = await openDashboard(context, browser, cluster.url);
    await row(page, "GameStart").waitFor();
    const unseen: string[] = [];
    const tabTo = (what: string) =>
      eventually(`the focus on ${what}`, async () => {
        await page.keyboard.press("Tab");
        const { text, outline } = await page.evaluate<{ text: string; outline: string }>(focused);
        if (outline === "none" && text !== "") unseen.push(text);
        return text.startsWith(what);
      });

    await tabTo("NorthQuarry");
    await page.keyboard.press("Enter");
    await tabTo("Quantity");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("12");
    await tabTo("Buy");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.getByText(/^Order 1: sold 12 units of NorthQuarry in /).waitFor();
    await row(page, "NorthQuarry").getByText("112").waitFor();

    await tabTo("Order number");
    await page.keyboard.press("Control+A");
    await page.keyboard.type("2");
    await page.keyboard.press("Enter");
    await page.getByText("There is no order 2 yet").waitFor();
    await trade(cluster.url, newTrade({ name: "BoarCo", type: "buy", quantity: 4 }));
    await page.getByText("Order 2: 4 units of BoarCo bought.").waitFor();
    expect(unseen).toEqual([]);
    expect(complaints).toEqual([]);
  });

  const touch = { isMobile: true, hasTouch: true };
  const phone = { ...touch, viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 };
  test.each<[string, BrowserContextOptions]>([
    ["a phone in the dark", { ...phone, colorScheme: "dark" }],
    ["a small phone", { ...touch, viewport: { width: 320, height: 640 } }],
    ["a tablet", { ...touch, viewport: { width: 820, height: 1180 } }],
    ["a wide screen in the dark", { viewport: { width: 1920, height: 1080 }, colorScheme: "dark" }],
  ])("on %s nothing is wider than the screen, and there are no accessibility barriers", async (name, options) => {
    const hooks = { onTestFailed, onTestFinished };
    const { page, complaints } = await openDashboard(hooks, browser, cluster.url, options);
    await row(page, "GameStart").waitFor();
    await place(page, { stock: "GameStart", quantity: 1, type: "Sell" });
    await page.getByText(/^Order \d+: 1 unit of GameStart sold/).waitFor();
    expect(await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")).toBe(0);
    expect(await barriers(page)).toEqual([]);
    await screenshot(page, `dashboard-${name}`, { fullPage: true });
    expect(complaints).toEqual([]);
  });

  test("with reduced motion nothing moves", async (context) => {
    const still = await openDashboard(context, browser, cluster.url, { reducedMotion: "reduce" });
    const moving = await openDashboard(context, browser, cluster.url, { reducedMotion: "no-preference" });
    for (const { page } of [still, moving]) {
      await row(page, "FishCo").waitFor();
      await page.evaluate("begun = 0; document.addEventListener('animationstart', () => { begun += 1 }, true)");
    }
    const number = orderNumber((await trade(cluster.url, newTrade({ name: "FishCo" }))).body) ?? 0;
    for (const { page } of [still, moving]) await latest(page, number).waitFor();
    await eventually("a row flashes", async () => Number(await moving.page.evaluate("begun")) > 0);
    expect(await still.page.evaluate("begun")).toBe(0);
  });

  test("the charts are drawn in a browser without a language", async (context) => {
    const speechless = await launchBrowser({ locale: "C" });
    context.onTestFinished(() => speechless.close());
    const { page, complaints } = await openDashboard(context, speechless, cluster.url);
    await row(page, "FishCo").waitFor();
    await page.locator(".uplot").first().waitFor();
    expect(complaints).toEqual([]);
  });
});

describe("a browser without a feature that the page needs", { concurrent: true }, () => {
  const line = /^This page needs JavaScript and a browser of 2023 or later: .+ Without them, use \/stocks/;

  test.for([
    "Array.prototype.at",
    "Array.prototype.findLast",
    "Array.prototype.toReversed",
    "AbortSignal.timeout",
    "ResizeObserver",
  ])("without %s the page names the supported browsers", async (feature, context) => {
    const { page, complaints } = await openBare(context, `delete ${feature}`);
    await page.getByText(line).waitFor();
    expect(await page.getByRole("heading").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("without JavaScript the page names the supported browsers", async (context) => {
    const { page } = await openBare(context, undefined, { javaScriptEnabled: false });
    await page.getByText(line).waitFor();
  });

  test("in a supported browser this text is removed", async (context) => {
    const { page } = await openBare(context, "0");
    await page.getByRole("heading", { name: "Stock Bazaar" }).waitFor();
    expect(await page.getByText(line).count()).toBe(0);
  });

  /** Opens the page; `script` runs before the page's own script. */
  async function openBare(context: TestHooks, script?: string, options: BrowserContextOptions = {}) {
    const { html, contentSecurityPolicy } = await dashboardPage();
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch: ({ url }) =>
        new URL(url).pathname === "/"
          ? new Response(html, {
              headers: { "content-type": "text/html", "content-security-policy": contentSecurityPolicy },
            })
          : new Response("", { headers: { "content-type": "text/event-stream" } }),
    });
    const view = await browser.newContext(options);
    context.onTestFinished(async () => {
      await view.close();
      await server.stop(true);
    });
    const page = await view.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(String(error)));
    if (script !== undefined) await page.addInitScript(script);
    await page.goto(`http://127.0.0.1:${server.port}/`);
    return { page, complaints };
  }
});
