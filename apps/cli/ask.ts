/** One question to the bazaar, for `lookup`, `trade` and `order`: an answer, or a clear word of why there is none. */

import { BazaarClient, describeRefusal, isUnknown, refusalOf, type Reply } from "@stock-bazaar/client/bazaar-client";
import type { DialectName } from "@stock-bazaar/contract/dialects";
import { at } from "@stock-bazaar/shared/json";
import { CommandError, exitCodes } from "./errors.ts";
import { chosenUrl, noAnswer, replyPatienceMs } from "./front-end.ts";
import type { AddressOptions } from "./options.ts";
import { print } from "./output.ts";

/** Of every command that asks once. */
export interface AskOptions extends AddressOptions {
  readonly timeout: number;
  readonly json?: boolean;
}

export interface Question {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: object;
  /** What is asked for, to be named where there is no such thing. */
  readonly about?: string | undefined;
  /** What follows when there is no answer, for a request that was sent to somebody or not even that. */
  readonly unanswered?: (sent: boolean) => string;
}

/** The dialects whose replies these commands understand. */
const understoodDialects: readonly string[] = ["bazaar", "pyro"] satisfies DialectName[];

/** Before what can't be taken back: throws for a front-end whose reply wouldn't be understood. Silence is no reason. */
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

/** With status 200. Anything else is thrown as a CommandError; with `--json` what the bazaar said is written before. */
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
    // Its own words tell programs to retry; whoever reads this is told how.
    const said = unanswered === undefined ? refusal : `${url} has no answer in time${consequence}`;
    throw new CommandError(said ?? "", exitCodes.noAnswer);
  }
  if (status !== 200)
    throw new CommandError(status === 404 && about !== undefined ? `${about}: ${refusal}` : `${refusal}`);
  return reply;
}

/** What a reply with status 200 must have; anything else isn't a bazaar's. */
export function expected<T>(value: T | undefined, reply: Reply): T {
  if (value === undefined) throw noAnswer(describeRefusal(reply));
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
