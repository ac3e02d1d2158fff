/** Reads server-sent events, one after the other, from a reply that doesn't end. */

export interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  /** The parsed JSON. */
  readonly data: unknown;
  /** The event as it was received. */
  readonly text: string;
}

export class EventReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #decoder = new TextDecoder();
  #rest = "";

  constructor(response: Response) {
    if (response.body === null) throw new Error("the reply has no body");
    this.#reader = response.body.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  }

  /** Returns the next event, or `undefined` at the end of the stream. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = this.#rest.indexOf("\n\n");
      if (end !== -1) {
        const text = this.#rest.slice(0, end + 2);
        this.#rest = this.#rest.slice(end + 2);
        return parse(text);
      }
      const { done, value } = await this.#reader.read();
      if (done) return undefined;
      this.#rest += this.#decoder.decode(value, { stream: true });
    }
  }

  /** Returns the next event of this kind whose data passes `wanted`. */
  async nextOf(event: string, wanted: (data: never) => boolean = () => true): Promise<ServerEvent> {
    for (;;) {
      const next = await this.next();
      if (next === undefined) throw new Error(`the stream must have an event "${event}" (got its end)`);
      if (next.event === event && wanted(next.data as never)) return next;
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel();
  }
}

function parse(text: string): ServerEvent {
  const fields = new Map(
    text
      .split("\n")
      .map((line): [string, string] => [line.split(": ", 1)[0] ?? "", line.slice(line.indexOf(": ") + 2)]),
  );
  return {
    event: fields.get("event") ?? "",
    id: fields.get("id"),
    data: JSON.parse(fields.get("data") ?? "null"),
    text,
  };
}
