/**
 * The page in states that a real bazaar reaches only for moments. A scripted front-end sends its events; `dashboard.test.ts`
 * has the page with a real one.
 */

import type { ServerEvent } from "@stock-bazaar/contract/events";
import type { Cluster, ListedStock } from "@stock-bazaar/contract/replies";
import { dashboardPage } from "@stock-bazaar/dashboard/page";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser, openDashboard } from "./support/browser.ts";
import type { TestHooks } from "./support/cluster.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());

const stock = (name: string, quantity = 100): ListedStock => ({ name, price: 23.75, quantity, volume: 0 });
const replica = (id: number, state: "live" | "away" = "live") =>
  ({
    id,
    state,
    role: id === 3 ? "leader" : "follower",
    term: 1,
    last_id: 7,
    lag: 0,
    live_followers: id === 3 ? [1, 2] : null,
  }) as const;
const cluster = (change: Partial<Cluster> = {}): Cluster => ({
  leader: 3,
  term: 1,
  catalog: { state: "live", last_id: 7, stocks: 2 },
  replicas: [replica(1), replica(2), replica(3)],
  front_ends: [{ address: "127.0.0.1:8080", state: "live", dialect: "bazaar" }],
  cache: { capacity: 1000, size: 2, hits: 0, misses: 2, leased: true },
  ...change,
});

interface Scripted {
  readonly page: Page;
  readonly complaints: readonly string[];
  send(...events: ServerEvent[]): void;
  /** Ends the stream, and refuses others. */
  vanish(): void;
}

const longName = `The ${"Very ".repeat(20)}LongName Company`;

/** Opens the page at a front-end that has sent its first events. */
async function open(context: TestHooks, options: BrowserContextOptions = {}): Promise<Scripted> {
  const { html, contentSecurityPolicy } = await dashboardPage();
  const streams = new Set<ReadableStreamDefaultController<Uint8Array>>();
  let isAway = false;
  const text = ({ event, data }: ServerEvent) =>
    new TextEncoder().encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  const first: ServerEvent[] = [
    { event: "hello", data: { faults: true } },
    { event: "stocks", data: { complete: true, stocks: [stock("BoarCo"), stock(longName)] } },
    { event: "cluster", data: cluster() },
    {
      event: "orders",
      data: {
        skipped: 0,
        orders: [{ number: 7, name: longName, type: "buy", quantity: 5, price: 1, created_at: "2026-01-01T00:00:00Z" }],
      },
    },
  ];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    idleTimeout: 0,
    fetch: ({ method, url }) => {
      const { pathname } = new URL(url);
      if (isAway) return new Response(null, { status: 503 });
      if (pathname === "/events") {
        const body = new ReadableStream<Uint8Array>({
          start(stream) {
            streams.add(stream);
            for (const event of first) stream.enqueue(text(event));
          },
        });
        return new Response(body, { headers: { "content-type": "text/event-stream" } });
      }
      if (method === "POST") return Response.json({ data: { transaction_number: 6 } });
      if (pathname === "/orders/6")
        return Response.json({ data: { number: 6, name: "BoarCo", type: "buy", quantity: 1 } });
      if (pathname === "/orders/7")
        return Response.json({ data: { number: 7, name: longName, type: "buy", quantity: 5 } });
      return new Response(html, {
        headers: { "content-type": "text/html", "content-security-policy": contentSecurityPolicy },
      });
    },
  });
  context.onTestFinished(() => server.stop(true));
  const opened = await openDashboard(context, browser, `http://127.0.0.1:${server.port}`, options);
  await opened.page.getByRole("row", { name: /^BoarCo / }).waitFor();
  return {
    ...opened,
    send(...events) {
      for (const event of events) for (const stream of streams) stream.enqueue(text(event));
    },
    vanish() {
      isAway = true;
      for (const stream of streams) stream.close();
      streams.clear();
    },
  };
}

const replicas = (page: Page) =>
  page.getByRole("list", { name: "The cluster" }).getByRole("listitem").filter({ hasText: "Replica" });
const styleOf = (page: Page, selector: string, property: string) =>
  page.evaluate(
    `getComputedStyle(document.querySelector(${JSON.stringify(selector)})).getPropertyValue("${property}")`,
  );

describe("the page", { concurrent: true }, () => {
  test.for([
    [360, 740],
    [1440, 900],
  ] as const)("at a width of %d a long name leaves room for price and quantity", async ([width, height], context) => {
    const { page } = await open(context, { viewport: { width, height } });
    for (const [part, text] of [
      [".board .scroll", "100"],
      [".latest .scroll", "7"],
    ] as const) {
      const hidden = `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector("${part}"))`;
      expect(await page.evaluate(hidden), part).toBeLessThan(2);
      const last = page.locator(part).locator("tbody tr").last();
      await last.getByText(text, { exact: true }).first().waitFor();
    }
    expect(await page.locator(".board tbody tr").last().getByRole("button").getAttribute("title")).toBe(
      `Trade ${longName}`,
    );
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
    // The names of the parts aren't cut off.
    const cut =
      "[...document.querySelectorAll('.node .name')].filter((e) => e.clientWidth < e.scrollWidth || !e.clientWidth)";
    expect(await page.evaluate(`${cut}.length`)).toBe(0);
  });

  test("without a live replica it says that nothing can be traded", async (context) => {
    const { page, send, complaints } = await open(context);
    await page.getByText("Live", { exact: true }).waitFor();
    const dead = [replica(1, "away"), replica(2, "away"), replica(3, "away")];
    send({ event: "cluster", data: cluster({ leader: null, replicas: dead }) });
    await page.getByText("No trading", { exact: true }).waitFor();
    await page.getByRole("alert").getByText("No order replica answers").waitFor();
    send({ event: "cluster", data: cluster() });
    await page.getByText("Live", { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  test("what only the front-end knows is marked as last seen when it is away, and the warning stays in sight", async (context) => {
    const { page, vanish } = await open(context, { viewport: { width: 800, height: 500 } });
    vanish();
    const warning = page.getByText("The front-end doesn't answer.");
    await warning.waitFor();
    expect(await replicas(page).allInnerTexts()).toEqual([
      expect.stringMatching(/^Leader:.*last seen: leads|last seen: leads/s),
      expect.stringContaining("last seen: follows"),
      expect.stringContaining("last seen: follows"),
    ]);
    expect(await page.locator(".node.live, .node.leader").count()).toBe(0);
    await page.evaluate("scrollTo(0, document.body.scrollHeight)");
    const box = await warning.boundingBox();
    expect(box?.y).toBeGreaterThanOrEqual(0);
    expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(500);
  });

  test("while the catalog is away, its figures say so", async (context) => {
    const { page, send } = await open(context);
    expect(await page.getByText("as the catalog last told").count()).toBe(0);
    send({ event: "cluster", data: cluster({ catalog: { state: "away", last_id: null, stocks: null } }) });
    await page.getByText("as the catalog last told").waitFor();
    expect(Number(await styleOf(page, ".board", "opacity"))).toBeLessThan(1);
  });

  test("a change of a quantity is shown with its sign for five seconds", async (context) => {
    const { page, send } = await open(context);
    await page.clock.install();
    send({ event: "stocks", data: { complete: false, stocks: [stock("BoarCo", 95)] } });
    const change = page.getByRole("row", { name: /^BoarCo / }).getByText("−5", { exact: true });
    await change.waitFor();
    await page.clock.fastForward(5100);
    await change.waitFor({ state: "detached" });
  });

  test("the form says what a trade would be, and what is left", async (context) => {
    const { page, send } = await open(context);
    await page.getByText("Buy 1 BoarCo for 23.75. 100 are there.").waitFor();
    await page.getByLabel("Quantity").fill("101");
    await page.getByText("Only 100 BoarCo are left.").waitFor();
    send({ event: "stocks", data: { complete: false, stocks: [stock("BoarCo", 1226)] } });
    await page.getByText("Buy 101 BoarCo for 2,398.75. 1,226 are there.").waitFor();
    await page.getByText("Sell", { exact: true }).click();
    await page.getByText("Sell 101 BoarCo for 2,398.75. 1,226 are there.").waitFor();
    await page.getByRole("button", { name: "Place the order" }).click();
    await page.getByText(/^Order 6: sold 101 units of BoarCo in /).waitFor();
    await page.getByLabel("Quantity").fill("0");
    await page.getByText("The quantity must be a whole number from 1 to 2147483647.").waitFor();
  });

  test("buttons keep their colour under the pointer", async (context) => {
    const { page } = await open(context);
    for (const button of [".danger", ".cold"]) {
      const before = await styleOf(page, button, "border-top-color");
      await page.locator(button).hover();
      expect(await styleOf(page, button, "border-top-color"), button).toBe(before);
    }
  });

  test("several front-ends are a list without bullets", async (context) => {
    const { page, send } = await open(context);
    const address = "127.0.0.1:8081";
    send({
      event: "cluster",
      data: cluster({ front_ends: [...cluster().front_ends, { address, state: "live", dialect: "bazaar" }] }),
    });
    await page.getByText(address).waitFor();
    expect(await styleOf(page, ".others li", "list-style-type")).toBe("none");
  });

  test("an order that can't exist is explained", async (context) => {
    const { page } = await open(context);
    const number = page.getByLabel("Order number");
    for (const wrong of ["0", "-1", "1.5", ""]) {
      await number.fill(wrong);
      await page.getByRole("button", { name: "Follow", exact: true }).click();
      await page.getByText("The number of an order must be a whole number from 1.").waitFor();
    }
    await number.fill("7");
    await page.getByRole("button", { name: "Follow", exact: true }).click();
    await page.getByText(/^Order 7: 5 units of /).waitFor();
  });

  test("the system's colours show whether an order buys or sells", async (context) => {
    const { page } = await open(context, { forcedColors: "active" });
    const background = (type: string) => styleOf(page, `.choice .${type} span`, "background-color");
    expect(await background("buy")).not.toBe(await background("sell"));
  });

  test("a phone doesn't zoom in on the fields", async (context) => {
    const { page } = await open(context, { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true });
    const sizes = await page.evaluate(
      "[...document.querySelectorAll('input:not([type=radio]), select')].map((e) => parseFloat(getComputedStyle(e).fontSize))",
    );
    expect(Math.min(...(sizes as number[]))).toBeGreaterThanOrEqual(16);
  });

  test("nothing below the forms moves when an answer arrives", async (context) => {
    const { page } = await open(context);
    const tops = async () => {
      const cards = await page.locator(".side .card").all();
      return Promise.all(cards.map(async (card) => (await card.boundingBox())?.y));
    };
    const before = await tops();
    await page.getByRole("button", { name: "Place the order" }).click();
    await page.getByText(/^Order 6: bought 1 unit of BoarCo in /).waitFor();
    await page.getByText(/^Order 6: 1 unit of BoarCo bought/).waitFor();
    expect(await tops()).toEqual(before);
  });
});
