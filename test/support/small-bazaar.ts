/** A minimal bazaar in memory, for tests of HTTP clients. A test can make it give wrong answers. */

import { onTestFinished } from "vitest";

interface SmallOrder {
  readonly number: number;
  readonly name: string;
  readonly type: "buy" | "sell";
  readonly quantity: number;
}

export interface SmallBazaar {
  readonly url: string;
  readonly orders: readonly SmallOrder[];
  /** Received requests, like `GET /stocks/GameStart`. */
  readonly requests: readonly string[];
}

/** Returns a reply in place of the true one, which `truth` returns; `undefined` sends the true reply. */
export type Lie = (request: Request, truth: () => Promise<unknown>) => Promise<Response | undefined> | undefined;

/** Starts a bazaar that ends with the test. */
export function startSmallBazaar(lie: Lie = () => undefined): SmallBazaar {
  const quantities = new Map([
    ["GameStart", 1000],
    ["FishCo", 1000],
  ]);
  const revs = new Map<string, number>();
  const keys = new Map<string, number>();
  const orders: SmallOrder[] = [];
  const requests: string[] = [];

  const answer = async (request: Request): Promise<Response> => {
    const [, resource, name = ""] = new URL(request.url).pathname.split("/");
    if (resource === "stocks" && name === "")
      return reply({ data: [...quantities].map(([name, quantity]) => ({ name, price: 1, quantity, volume: 0 })) });
    if (resource === "stocks") {
      const quantity = quantities.get(name);
      if (quantity === undefined) return refusal(404, "INVALID_STOCKNAME");
      return reply({ data: { name, price: 1, quantity } }, { etag: `"${revs.get(name) ?? 0}"`, "x-cache": "miss" });
    }
    if (request.method === "GET") {
      const order = orders[Number(name) - 1];
      return order ? reply({ data: order }) : refusal(404, "INVALID_ORDERNUMBER");
    }
    const key = request.headers.get("idempotency-key") ?? "";
    const wish = (await request.json()) as Omit<SmallOrder, "number">;
    const left = quantities.get(wish.name) ?? 0;
    if (wish.type === "buy" && wish.quantity > left) return refusal(400, "INSUFFICIENT_QUANTITY");
    const number = keys.get(key) ?? orders.push({ number: orders.length + 1, ...wish });
    if (!keys.has(key)) quantities.set(wish.name, left + (wish.type === "buy" ? -wish.quantity : wish.quantity));
    keys.set(key, number);
    revs.set(wish.name, number);
    return reply({ data: { transaction_number: number } });
  };

  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      requests.push(`${request.method} ${new URL(request.url).pathname}`);
      const truth = () => answer(request);
      return (await lie(request, async () => (await truth()).json())) ?? truth();
    },
  });
  onTestFinished(() => server.stop(true));
  return { url: `http://127.0.0.1:${server.port}`, orders, requests };
}

export function reply(body: object, headers: Readonly<Record<string, string>> = {}): Response {
  return Response.json(body, { headers: { ...headers } });
}

export function refusal(status: number, reason: string): Response {
  return Response.json({ error: { code: status, message: reason, reason } }, { status });
}
