/** Sends one request for `lookup`, `trade` or `order`, and explains a failure. */

import { BazaarClient, describeRefusal, isUnknown, refusalOf, type Reply } from "@stock-bazaar/client/bazaar-client";
import type { DialectName } from "@stock-bazaar/contract/dialects";
import { at } from "@stock-bazaar/shared/json";
import { CommandError, exitCodes } from "./errors.ts";
import { chosenUrl, noAnswer, replyPatienceMs } from "./front-end.ts";
import type { AddressOptions } from "./options.ts";
import { print } from "./output.ts";

/** The options of every command that sends one request. */
export interface AskOptions extends AddressOptions {
  readonly timeout: number;
  readonly json?: boolean;
}

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** The name of what is requested: it precedes the message of a 404. */
  readonly about?: string | undefined;
  /** Explains what follows from a missing answer; `sent` is false if the request was never sent. */
  readonly unanswered?: (sent: boolean) => string;
}

/** The dialects whose replies these commands understand. */
const understoodDialects: readonly string[] = ["bazaar", "pyro"] satisfies DialectName[];

/**
 * Checks before a trade that its reply will be understood. Throws if the front-end speaks another dialect, but not if
 * it doesn't answer.
 */
export async function requireUnderstood(options: AskOptions): Promise<void> {
  const url = chosenUrl(options);
  const client = new BazaarClient({ urls: [url], giveUpMs: 0, patienceMs: replyPatienceMs });
  const { cluster } = await client.cluster();
  client.close();
  const dialect = cluster?.front_ends[0]?.dialect;
  if (dialect === undefined || understoodDialects.includes(dialect)) return;
  throw new CommandError(
    `the dialect of ${url} must be one of ${understoodDialects.join(", ")} (got ${dialect}): name another front-end with --port`,
    exitCodes.usage,
  );
}

/** Resolves with a reply of status 200, else throws a CommandError. `--json` prints the reply in both cases. */
export async function ask(question: Question, options: AskOptions): Promise<Reply> {
  const { method, path, headers = {}, body, about, unanswered } = question;
  const url = chosenUrl(options);
  const giveUpMs = options.timeout * 1000;
  const client = new BazaarClient({ urls: [url], giveUpMs, patienceMs: replyPatienceMs });
  const reply = await client.request(method, path, headers, body === undefined ? "" : JSON.stringify(body));
  client.close();
  const { status, text, reason, sent } = reply;
  const consequence = unanswered === undefined ? "" : `\n${unanswered(sent)}`;
  if (status === 0) throw noAnswer(`no answer from ${url}: ${reason}${consequence}`);
  const refusal = refusalOf(reply.body);
  if (status === 200 ? at(reply.body, "data") === undefined : refusal === undefined)
    throw noAnswer(`${describeRefusal(reply)}${consequence}`);
  if (options.json) print(`${text}\n`);
  if (isUnknown(status)) {
    // The bazaar's message is for programs that retry; `unanswered` says how a person retries.
    const message = unanswered === undefined ? refusal : `no answer from ${url} in time${consequence}`;
    throw new CommandError(message ?? "", exitCodes.noAnswer);
  }
  if (status !== 200)
    throw new CommandError(status === 404 && about !== undefined ? `${about}: ${refusal}` : `${refusal}`);
  return reply;
}

/** Returns the value that a reply with status 200 must have; throws if it is missing, as another server has replied. */
export function expected<T>(value: T | undefined, reply: Reply): T {
  if (value === undefined) throw noAnswer(describeRefusal(reply));
  return value;
}

export function list(body: unknown): readonly unknown[] | undefined {
  const data = at(body, "data");
  return Array.isArray(data) ? data : undefined;
}

/** A cell of a table. A missing value is a dash. */
export function cell(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "–";
}

/** A price with two decimals. A missing one is a dash. */
export function price(value: unknown): string {
  return typeof value === "number" ? value.toFixed(2) : "–";
}
