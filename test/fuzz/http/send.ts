/** Sends HTTP inputs and checks what comes back. Returns a sentence for each fault. */

import { faultsOfReply, isFailure, requestIdIn, tracesIn } from "../oracles.ts";
import type { BytesInput, HttpInput } from "../input.ts";
import type { ToldTrades } from "../ledger.ts";
import type { Statuses } from "../statuses.ts";
import { Wire } from "../wire.ts";
import { type HttpReply, readReply } from "./reply.ts";

/** Every input must be answered, or its connection closed, within this time. A request may take 10 s by its contract. */
export const deadlineMs = 20_000;

/**
 * How long a client that has sent strange bytes waits for a reply before it closes its side. No verdict depends on it: an
 * unfinished request gets no reply, and the front-end waits for the rest of it as long as it waits for any client.
 */
const graceMs = 25;

export interface Sending {
  readonly portOf: (to: string) => number;
  readonly told: ToldTrades;
  readonly statuses: Statuses;
}

/** The connections of one client, which are kept from one request to the next: one to each front-end. */
export class KeptConnections {
  readonly #wires = new Map<string, Wire>();

  async take(to: string, port: number): Promise<{ readonly wire: Wire; readonly isNew: boolean }> {
    const kept = this.#wires.get(to);
    if (kept && !kept.isClosed) return { wire: kept, isNew: false };
    const wire = await Wire.connect(port);
    this.#wires.set(to, wire);
    return { wire, isNew: true };
  }

  close(): void {
    for (const wire of this.#wires.values()) wire.end();
    this.#wires.clear();
  }
}

type Answer = HttpReply | "closed" | "silent" | Error;

async function ask(wire: Wire, { request }: HttpInput): Promise<Answer> {
  const method = request.slice(0, request.indexOf(" "));
  wire.write(request);
  const answer = await wire.until<Exclude<Answer, "silent">>(() => {
    try {
      return readReply(wire.received, method) ?? (wire.isClosed ? "closed" : undefined);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }, deadlineMs);
  if (answer === undefined) return "silent";
  if (answer === "closed" || answer instanceof Error) return answer;
  wire.forget(answer.length);
  // Bytes after the reply would be taken for the next one.
  if (answer.closes || answer.isStream) wire.end();
  else if (wire.received.length > 0) return new Error("nothing must follow a reply (got more bytes)");
  return answer;
}

export async function sendHttp(
  input: HttpInput,
  connections: KeptConnections,
  { portOf, told, statuses }: Sending,
): Promise<string[]> {
  const { to, request } = input;
  let { wire, isNew } = await connections.take(to, portOf(to));
  let answer = await ask(wire, input);
  if (answer === "closed" && !isNew) {
    // The server may close a kept connection while a request is on its way.
    ({ wire, isNew } = await connections.take(to, portOf(to)));
    answer = await ask(wire, input);
  }
  if (answer === "closed" || answer === "silent" || answer instanceof Error) {
    wire.reset();
    statuses.count("http", answer instanceof Error ? "unreadable" : answer);
    if (answer instanceof Error) return [answer.message];
    if (answer === "closed") return ["a request must be answered (its connection was closed)"];
    return [`a request must be answered within ${deadlineMs} ms (it was not)`];
  }
  statuses.count("http", String(answer.status));
  if (answer.status === 200) told.reply(answer.body.toString(), request);
  return faultsOfReply(answer, requestIdIn(request));
}

const anyStatus = /HTTP\/1\.1 (\d{3}) /g;

/** Sends the parts, each in a turn of its own, waits for a reply or the end of the connection, and closes it. */
export async function sendBytes(
  { to, parts, end }: BytesInput,
  { portOf, told, statuses }: Sending,
): Promise<string[]> {
  const wire = await Wire.connect(portOf(to));
  for (const part of parts) {
    wire.write(part);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  if (end === "reset") {
    wire.reset();
    statuses.count("bytes", "reset");
    return [];
  }
  await wire.until(() => (wire.isClosed || wire.received.includes("\r\n\r\n") ? true : undefined), graceMs);
  wire.end();
  const closed = await wire.until(() => (wire.isClosed ? true : undefined), deadlineMs);
  const text = wire.received.toString("latin1");
  wire.reset();
  if (closed === undefined) {
    statuses.count("bytes", "silent");
    return [`a connection must end within ${deadlineMs} ms after its client has closed it (it did not)`];
  }
  const found = [...text.matchAll(anyStatus)].map(([, status]) => Number(status));
  statuses.count("bytes", found.length === 0 ? "closed" : String(found[0]));
  told.reply(text);
  const isCode = /content-type: text\/(?:html|javascript|css)/i.test(text);
  return [
    ...found
      .filter((status) => isFailure(status, text))
      .map((status) => `a reply must not fail (got ${status} ${text.slice(0, 300)})`),
    ...(isCode ? [] : tracesIn(text)),
  ];
}
