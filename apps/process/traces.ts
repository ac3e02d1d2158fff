/** What a process does for the traces of its trades: `tracing.ts` starts it, `tracing-otel.ts` does it. */

/** A trade's place in its trace. */
export interface Trace {
  readonly key: string;
  /** As W3C writes it. */
  readonly traceparent: string;
}

export interface Keyed {
  readonly key: string;
}

/** Trades that have arrived in one message. */
export interface Batch {
  readonly traces: readonly Trace[];
  readonly trades: readonly unknown[];
}

export interface Tracing {
  /** Around the answer to a request, in the trace that its `traceparent` names, or in a new one. */
  request<Reply extends { readonly status: number }>(
    about: { readonly method: string; readonly route: string; readonly requestId: string; readonly headers: Headers },
    answer: () => Reply | Promise<Reply>,
  ): Promise<Reply>;
  /** Around a trade on its way, in the trace of the request that is being answered. */
  trade<Result>(trade: Keyed, work: () => Promise<Result>): Promise<Result>;
  /** Around a batch that another process has sent, in the traces of its trades. */
  batch<Result>(name: string, batch: Batch, work: () => Promise<Result>): Promise<Result>;
  /** Around the writing of orders, in the traces of those that are traced. */
  store(orders: readonly (Keyed & { readonly id: number })[], write: () => Promise<void>): Promise<void>;
  /** What goes with a message: of these trades or orders, those that are traced here now. */
  tracesOf(items: readonly Keyed[]): Trace[];
  /** These come with orders that will be stored. */
  arrived(traces: readonly Trace[]): void;
  /** Sends what is left. */
  end(): Promise<void>;
}
