/**
 * Sends many inputs to one bazaar, in batches. Within a batch many clients send at the same time; after it the bazaar must
 * still work. A fault never ends the run before the batch has ended: what happened to the others may say why.
 */

import type { FuzzedBazaar } from "./bazaar.ts";
import { batchInputs, familyOf, type Family } from "./generate.ts";
import type { Live } from "./grpc/live.ts";
import { GrpcSessions, sendGrpc } from "./grpc/send.ts";
import { KeptConnections, sendBytes, sendHttp, type Sending } from "./http/send.ts";
import type { Input } from "./input.ts";
import { ToldTrades } from "./ledger.ts";
import { givenBack, type HeldByAll, heldBy } from "./resources.ts";
import { shrunk } from "./shrink.ts";
import { Statuses } from "./statuses.ts";

const clients = 64;
/** Inputs after which caches are filled and code is compiled: the memory of the services then is compared with the end. */
const warmInputs = 4 * batchInputs;

export interface Numbered {
  /** Its number in the seed; 0 for an input of the corpus. */
  readonly number: number;
  readonly input: Input;
}

export interface Fault {
  readonly text: string;
  /** The input that showed it, or all inputs of the batch after which it showed. */
  readonly inputs: readonly Numbered[];
  /** A smaller input that shows the same, if one was found. */
  readonly smallest?: Input;
}

/** The sentence without what was got. */
function kindOf(text: string): string {
  return text.split(" (got")[0] ?? "";
}

export class Campaign {
  readonly statuses = new Statuses();
  readonly told = new ToldTrades();
  readonly faults: Fault[] = [];
  readonly #bazaar: FuzzedBazaar;
  readonly #sending: Sending;
  readonly #connections = Array.from({ length: clients }, () => new KeptConnections());
  readonly #sessions = new GrpcSessions();
  #sent = 0;
  #before: HeldByAll;
  #isWarm = false;

  /** To be made before any client has connected to the bazaar. */
  constructor(bazaar: FuzzedBazaar) {
    this.#before = heldBy(bazaar.services);
    this.#bazaar = bazaar;
    this.#sending = { portOf: (to) => bazaar.portOf(to), told: this.told, statuses: this.statuses };
  }

  /** The number of inputs that were sent. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends the inputs with these numbers, made by `inputOf`. Stops after the first batch with a fault. */
  async run(first: number, count: number, inputOf: (number: number) => Input, progress = () => {}): Promise<void> {
    const last = first + count - 1;
    for (let from = first; from <= last && this.faults.length === 0; ) {
      const next = Math.floor((from - 1) / batchInputs + 1) * batchInputs + 1;
      const numbers = Array.from({ length: Math.min(next - 1, last) - from + 1 }, (_, index) => from + index);
      await this.batch(
        familyOf(from),
        numbers.map((number) => ({ number, input: inputOf(number) })),
      );
      from = next;
      progress();
    }
  }

  /** Sends inputs of one family, then asks the bazaar whether it works. `inTurn`: each waits for the one before it. */
  async batch(family: Family, inputs: readonly Numbered[], inTurn = false): Promise<void> {
    const live = await this.#bazaar.live();
    const left = inputs.values();
    await Promise.all(
      this.#connections.slice(0, inTurn ? 1 : clients).map(async (connections) => {
        for (const numbered of left) {
          const texts = await this.#send(numbered.input, connections, live);
          this.#sent += 1;
          for (const text of texts) this.faults.push({ text, inputs: [numbered] });
        }
      }),
    );
    await this.#check(inputs, () => this.#bazaar.works(family === "grpc"));
    for (const text of [...this.#bazaar.ended(), ...this.#bazaar.loggedErrors()]) this.faults.push({ text, inputs });
    if (this.#isWarm || this.#sent < warmInputs) return;
    this.#isWarm = true;
    const now = heldBy(this.#bazaar.services);
    this.#before = new Map(
      [...this.#before].map(([name, { descriptors }]) => [name, { descriptors, memory: now.get(name)?.memory ?? 0 }]),
    );
  }

  /** Makes the inputs of the faults smaller that show alone, on the bazaar as it is now. To be called before `finish`. */
  async shrink(): Promise<void> {
    for (const [index, fault] of this.faults.entries()) {
      const [numbered, ...others] = fault.inputs;
      if (numbered === undefined || others.length > 0 || this.#bazaar.ended().length > 0) continue;
      const live = await this.#bazaar.live();
      const [connections = new KeptConnections()] = this.#connections;
      const kind = kindOf(fault.text);
      const shows = async (input: Input) =>
        (await this.#send(input, connections, live)).some((text) => kindOf(text) === kind);
      const smallest = await shrunk(numbered.input, shows);
      if (smallest !== numbered.input) this.faults[index] = { ...fault, smallest };
    }
  }

  /** Closes all connections. Then the bazaar must hold what it held before, and its databases must be right. */
  async finish(): Promise<void> {
    for (const connections of this.#connections) connections.close();
    this.#sessions.close();
    if (this.#isWarm) await this.#check([], () => givenBack(this.#bazaar.services, this.#before));
    await this.#check([], () => this.#bazaar.sessionsAreBack());
    await this.#check([], async () => {
      for (const text of await this.#bazaar.checkDatabases(this.told)) this.faults.push({ text, inputs: [] });
    });
  }

  /** What the services hold more than after the first batches, for the report. */
  growth(): string {
    const now = heldBy(this.#bazaar.services);
    return [...now]
      .map(([name, { descriptors, memory }]) => {
        const before = this.#before.get(name);
        return `${name} ${before?.memory ?? "?"} to ${memory} MiB, ${before?.descriptors ?? "?"} to ${descriptors} descriptors`;
      })
      .join("; ");
  }

  /** Returns a sentence for each fault that the answer shows. */
  async #send(input: Input, connections: KeptConnections, live: Live): Promise<string[]> {
    try {
      switch (input.kind) {
        case "http":
          return await sendHttp(input, connections, this.#sending);
        case "bytes":
          return await sendBytes(input, this.#sending);
        case "grpc":
          return await sendGrpc(input, this.#sessions, live, this.#sending);
      }
    } catch (error) {
      return [`an input must be sent (got ${String(error)})`];
    }
  }

  async #check(inputs: readonly Numbered[], check: () => Promise<void>): Promise<void> {
    try {
      await check();
    } catch (error) {
      const { message, cause } = error instanceof Error ? error : { message: String(error), cause: undefined };
      const because = cause instanceof Error ? `: ${cause.message}` : "";
      this.faults.push({ text: message + because, inputs });
    }
  }
}
