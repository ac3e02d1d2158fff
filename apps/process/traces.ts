/** The interface of tracing: `tracing.ts` starts it, `tracing-otel.ts` implements it. */

/** A trade's place in its trace. */
export interface Trace {
  readonly key: string;
  /** In W3C's format. */
  readonly traceparent: string;
}

export interface Keyed {
  readonly key: string;
}

/** Trades that arrived in one message, and the traces of those that are traced. */
export interface Batch {
  readonly traces: readonly Trace[];
  /** How many trades they are. */
  readonly count: number;
}

export interface Tracing {
  /** Runs `answer` in a span of the trace that the request's `traceparent` names, or of a new trace. */
  request<Reply extends { readonly status: number }>(
    about: { readonly method: string; readonly route: string; readonly requestId: string; readonly headers: Headers },
    answer: () => Reply | Promise<Reply>,
  ): Promise<Reply>;
  /** Runs `work` in a span for this trade, in the trace of the current request. */
  trade<Result>(trade: Keyed, work: () => Promise<Result>): Promise<Result>;
  /** Runs `work` in one span for each traced trade of a batch from another process. */
  batch<Result>(name: string, batch: Batch, work: () => Promise<Result>): Promise<Result>;
  /** Runs `write` in one span for each traced order. */
  store(orders: readonly (Keyed & { readonly id: number })[], write: () => Promise<void>): Promise<void>;
  /** The traces to send with a message: of these trades or orders, those that are traced in this process now. */
  tracesOf(items: readonly Keyed[]): Trace[];
  /** Registers the traces of received orders, for the `store` that follows. */
  arrived(traces: readonly Trace[]): void;
  /** Sends the remaining spans. */
  end(): Promise<void>;
}
