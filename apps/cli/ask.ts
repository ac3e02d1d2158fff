/** One question to the bazaar, for `lookup`, `trade` and `order`: an answer, or a clear word of why there is none. */

import { BazaarClient, isUnknown, type Reply } from "@stock-bazaar/client/bazaar-client";
import { at } from "@stock-bazaar/shared/json";
import type { AskOptions } from "./definitions/trading.ts";
import { CommandError } from "./errors.ts";
import { chosenUrl, noAnswer, replyPatienceMs } from "./front-end.ts";

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What to say on top when nobody knows what became of it. */
  readonly unknown?: string;
}

/** With status 200. Anything else is thrown as a CommandError; with `--json` what the bazaar said is written before. */
export async function ask(question: Question, options: AskOptions): Promise<Reply> {
  const { method, path, headers = {}, body, unknown } = question;
  const url = chosenUrl(options);
  const giveUpMs = options.timeout * 1000;
  const client = new BazaarClient({ urls: [url], giveUpMs, patienceMs: replyPatienceMs });
  const reply = await client.request(method, path, headers, body === undefined ? "" : JSON.stringify(body));
  client.close();
  const { status, text, reason } = reply;
  if (options.json && status !== 0) process.stdout.write(`${text}\n`);
  if (isUnknown(status)) {
    const said = status === 0 ? `no answer from ${url}: ${reason}` : messageOf(reply);
    throw noAnswer(unknown === undefined ? said : `${said}\n${unknown}`);
  }
  if (status !== 200) throw new CommandError(messageOf(reply));
  return reply;
}

/** What a reply with status 200 must have; anything else isn't a bazaar's. */
export function expected<T>(value: T | undefined, { url, text }: Reply): T {
  if (value === undefined) throw new CommandError(`${url} answers what a bazaar would not: ${text.slice(0, 200)}`);
  return value;
}

export function list(body: unknown): readonly unknown[] | undefined {
  const data = at(body, "data");
  return Array.isArray(data) ? data : undefined;
}

/** As people read it: cells without lines. What isn't there is a dash. */
export function cell(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "–";
}

/** Two decimals, as everywhere. */
export function price(value: unknown): string {
  return typeof value === "number" ? value.toFixed(2) : "–";
}

function messageOf({ url, status, body, text }: Reply): string {
  const message = at(body, "error", "message");
  return typeof message === "string" ? message : `${url} answers ${status}: ${text.slice(0, 200)}`;
}
