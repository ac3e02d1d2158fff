/** Reads server-sent events from a reply that doesn't end, one after the other. */

export interface ServerEvent {
  readonly event: string;
  readonly id: string | undefined;
  /** Its JSON. */
  readonly data: unknown;
  /** As it came. */
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

  /** `undefined`: the stream has ended. */
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

  /** The next event of this kind that `wanted` says yes to. */
  async nextOf(event: string, wanted: (data: never) => boolean = () => true): Promise<ServerEvent> {
    for (;;) {
      const next = await this.next();
      if (next === undefined) throw new Error(`the stream ended without: ${event}`);
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
