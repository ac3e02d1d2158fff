/**
 * How a route reads its trades.
 *
 * A valid body is recognised by hand. The schema would take twenty times as long; it is for the OpenAPI document, and
 * for finding out why a body is refused. A test compares the two on arbitrary bodies.
 */

import { tradeQuantityMax, type TradeType } from "@stock-bazaar/shared/domain";
import type { ZodType } from "zod";
import { bodyTooLarge, type Failure } from "./failures.ts";
import { isJson, readJson, tooLarge } from "./request.ts";

export interface TradeWish {
  readonly name: string;
  readonly quantity: number;
  readonly type: TradeType;
}

/** The schema of a body, and its failures; the first that applies, in this order, is the reply. */
export interface TradeForm {
  readonly schema: ZodType<TradeWish>;
  /** Reads the field `type` as the schema does. Returns `undefined` if the schema refuses it. */
  readonly typeOf: (type: unknown) => TradeType | undefined;
  readonly wrongContentType: Failure;
  /** `malformed` if absent. */
  readonly notJson?: Failure;
  readonly malformed: Failure;
  readonly invalid: readonly Failure[];
  /** Replacements for some of these failures. */
  readonly reworded?: ReadonlyMap<Failure, Failure>;
}

/** Returns the trade in the body, or the failure to reply with. */
export async function readTrade(request: Request, form: TradeForm): Promise<TradeWish | Failure> {
  if (!isJson(request.headers.get("content-type"))) return form.wrongContentType;
  let body: unknown;
  try {
    body = await readJson(request);
  } catch {
    return form.notJson ?? refusal(undefined, form);
  }
  if (body === tooLarge) return bodyTooLarge;
  return validTrade(body, form) ?? refusal(body, form);
}

/** Returns the trade in a body that the schema accepts, and `undefined` for any other. */
export function validTrade(body: unknown, { typeOf }: TradeForm): TradeWish | undefined {
  if (typeof body !== "object" || body === null) return undefined;
  const { name, quantity, type } = body as Partial<Record<keyof TradeWish, unknown>>;
  if (typeof name !== "string" || typeof quantity !== "number") return undefined;
  if (!Number.isInteger(quantity) || quantity < 1 || quantity > tradeQuantityMax) return undefined;
  const known = typeOf(type);
  return known && { name, quantity, type: known };
}

function refusal(body: unknown, form: TradeForm): TradeWish | Failure {
  const parsed = form.schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const { issues } = parsed.error;
  const found = [form.malformed, ...form.invalid].find(({ message }) =>
    issues.some((issue) => issue.message === message),
  );
  const failure = found ?? form.malformed;
  return form.reworded?.get(failure) ?? failure;
}
