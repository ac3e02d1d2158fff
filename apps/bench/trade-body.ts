/**
 * Reads and checks the body of `POST /orders` with as little work as the HTTP contract allows, for the systems that the
 * bazaar is compared with.
 */

import { type TradeType, tradeQuantityMax } from "@stock-bazaar/shared/domain";

export interface TradeBody {
  readonly name: string;
  readonly quantity: number;
  readonly type: TradeType;
}

/** Returns `undefined` for a body that the contract refuses with 400. */
export async function readTradeBody(request: Request): Promise<TradeBody | undefined> {
  if (request.headers.get("content-type") !== "application/json") return undefined;
  let body: unknown;
  try {
    body = await request.json();
  } catch {
    return undefined;
  }
  if (typeof body !== "object" || body === null) return undefined;
  const { name, quantity, type } = body as { name?: unknown; quantity?: unknown; type?: unknown };
  if (typeof name !== "string" || name === "") return undefined;
  if (typeof quantity !== "number" || !Number.isInteger(quantity) || quantity < 1 || quantity > tradeQuantityMax)
    return undefined;
  if (typeof type !== "string") return undefined;
  const lowerType = type.toLowerCase();
  if (lowerType !== "buy" && lowerType !== "sell") return undefined;
  return { name, quantity, type: lowerType };
}

export const jsonReply = { headers: { "content-type": "application/json" } } as const;

export function badRequest(): Response {
  return Response.json(
    { error: { code: 400, message: "not a trade", reason: "INVALID_REQUEST" } },
    { ...jsonReply, status: 400 },
  );
}
