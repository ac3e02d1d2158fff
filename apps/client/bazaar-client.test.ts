import { expect, onTestFinished, test } from "vitest";
import { BazaarClient } from "./bazaar-client.ts";

test("above a rate limit, a client waits as Retry-After says, and sends the same trade to the same front-end", async () => {
  const keys: (string | null)[] = [];
  const start = () => {
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      fetch({ headers }) {
        keys.push(headers.get("idempotency-key"));
        return keys.length < 3
          ? Response.json(
              { error: { code: 429, message: "too many" } },
              { status: 429, headers: { "retry-after": "0" } },
            )
          : Response.json({ data: { transaction_number: 7 } });
      },
    });
    onTestFinished(() => server.stop(true));
    return `http://127.0.0.1:${server.port}`;
  };
  const urls = [start(), start()];
  const client = new BazaarClient({ urls });
  onTestFinished(() => client.close());
  const traded = await client.trade({ key: "mine", name: "GameStart", type: "buy", quantity: 1 });
  expect(traded).toMatchObject({ status: 200, orderNumber: 7, attempts: 3, url: urls[0] });
  expect(keys).toEqual(["mine", "mine", "mine"]);
});
