/** Streams a list of stocks of any length: a page is read when the client has taken the one before. */

import { type StocksPage, stocksPageMax } from "@stock-bazaar/shared/api";
import type { Bazaar } from "../bazaar.ts";
import { describeStock } from "./listing.ts";

/**
 * Returns the list as a stream of JSON. `first` is its first page, which has stocks and isn't the last. An error ends
 * the stream before the JSON is complete, and is passed to `broken`.
 */
export function stocksAsJson(
  bazaar: Pick<Bazaar, "stocks">,
  first: StocksPage,
  limit: number,
  broken: (error: unknown) => void,
): ReadableStream<Uint8Array> {
  const pages = pagesAsJson(bazaar, first, limit);
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await pages.next();
          if (done) controller.close();
          else controller.enqueue(encoder.encode(value));
        } catch (error) {
          broken(error);
          // Bun prints an error thrown in the turn in which the reply began, with its stack, and sends nothing.
          await new Promise((resolve) => setImmediate(resolve));
          throw error;
        }
      },
      async cancel() {
        await pages.return();
      },
    },
    { highWaterMark: 0 },
  );
}

async function* pagesAsJson(
  bazaar: Pick<Bazaar, "stocks">,
  first: StocksPage,
  limit: number,
): AsyncGenerator<string, void, void> {
  let page = first;
  let last = "";
  let left = limit;
  yield '{"data":[';
  for (let isFirst = true; ; isFirst = false) {
    const { stocks } = page;
    if (stocks.length > 0) {
      yield (isFirst ? "" : ",") + stocks.map((stock) => JSON.stringify(describeStock(stock))).join(",");
    }
    last = stocks.at(-1)?.name ?? last;
    left -= stocks.length;
    if (!page.more || left <= 0) break;
    page = await bazaar.stocks({ start: last, inclusive: false, limit: Math.min(left, stocksPageMax) });
  }
  yield page.more ? `],"next":${JSON.stringify(last)}}` : "]}";
}
