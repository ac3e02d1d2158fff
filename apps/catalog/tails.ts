/**
 * The streams to the front-ends. They carry each change to the caches as soon as it is durable; the change is settled
 * when every session has acknowledged it (R7). The end of a stream does not end its session: the front-end may still
 * serve from its cache until its lease has expired (R9).
 */

import type { LedgerChange } from "@stock-bazaar/ledger/ledger";
import type { Stream, StreamHandlers, TailReply, TailRequest } from "@stock-bazaar/shared/api";
import type { Clock } from "@stock-bazaar/shared/clock";
import type { Register } from "@stock-bazaar/shared/domain";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { FrontEnds } from "./front-ends.ts";
import type { RegisteredLease } from "./registered-lease.ts";
import type { Sessions } from "./sessions.ts";
import type { Settlement } from "./settlement.ts";
import type { WholeLedger } from "./whole-ledger.ts";

export interface TailsOptions {
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly sessions: Sessions;
  readonly settlement: Settlement;
  readonly registeredLease: RegisteredLease;
  readonly whole: WholeLedger;
  readonly register: () => Register;
  /** A session begins and its lease is renewed only after a proof that this catalog is still the active one (R11). */
  readonly prove?: (() => Promise<void>) | undefined;
}

export class Tails {
  readonly #options: TailsOptions;
  readonly #sessions: Sessions;
  readonly #frontEnds = new FrontEnds();
  readonly #open = new Map<string, StreamHandlers<TailReply>>();
  #stopped: BazaarError | undefined;

  constructor(options: TailsOptions) {
    this.#options = options;
    this.#sessions = options.sessions;
  }

  /** Opens the stream of a front-end. */
  open(handlers: StreamHandlers<TailReply>): Stream<TailRequest> {
    const { clock, whole, settlement, registeredLease, prove } = this.#options;
    let session: string | undefined;
    let isClosed = false;
    const close = () => {
      isClosed = true;
      if (session !== undefined && this.#open.get(session) === handlers) this.#open.delete(session);
    };
    const end = (error = whole.refusal ?? sessionOver()) => {
      close();
      handlers.ended(error);
    };
    const take = (request: TailRequest) => {
      const nowMs = clock.nowMs();
      if (this.#sessions.has(request.session) && request.acked > this.#register.head)
        return end(ackedTooMuch(request.acked, this.#register.head));
      switch (request.kind) {
        case "hello":
          // A hello that is repeated after the end of its session must not restart it: the session has missed changes.
          if (session !== undefined && (session !== request.session || !this.#sessions.has(session))) return end();
          if (this.#stopped) return end(this.#stopped);
          session = request.session;
          registeredLease.found(request, this.#register.life);
          this.#sessions.hello(session, this.#register.head, nowMs, request.replaces);
          this.#frontEnds.hello(request.address, request.dialect, session, nowMs);
          this.#open.set(session, handlers);
          handlers.message(this.#reply(request.sequence));
          break;
        case "renew":
          if (!this.#sessions.renew(request.session, request.acked, nowMs)) return end();
          handlers.message(this.#reply(request.sequence));
          break;
        case "ack":
          if (!this.#sessions.renew(request.session, request.acked, nowMs)) return end();
          break;
        case "goodbye":
          this.#sessions.goodbye(request.session);
          this.#frontEnds.goodbye(request.session);
          close();
          handlers.ended();
          break;
      }
      settlement.check();
    };
    return {
      send: (request) => {
        if (whole.refusal) return end();
        const { kind, seen } = request;
        // No front-end may begin to serve before the ledger is known to be whole.
        const isDoubtful = kind === "hello" && seen !== undefined && whole.isDoubtful(seen);
        const mustProve = prove !== undefined && (kind === "hello" || kind === "renew");
        if (!isDoubtful && !mustProve) return take(request);
        const conditions = [...(isDoubtful ? [whole.require(seen)] : []), ...(mustProve ? [prove()] : [])];
        void Promise.all(conditions).then(() => {
          if (!isClosed) take(request);
        }, end);
      },
      close,
    };
  }

  /** Sends a change on all tails. The change is durable and is the head of the ledger. */
  passOn(change: LedgerChange, previousHead: number): void {
    const nowMs = this.#options.clock.nowMs();
    this.#sessions.expire(nowMs);
    const news = {
      sequence: -1,
      head: change.head,
      life: this.#register.life,
      leaseMs: this.#options.leaseMs,
      changes: change.stocks,
      previousHead,
      frontEnds: [],
    };
    for (const [session, handlers] of this.#open) {
      if (this.#sessions.has(session)) {
        handlers.message({ ...news, alone: this.#sessions.alone(session, nowMs) });
      } else {
        // Its lease has expired. Messages for a front-end that doesn't read them would only fill memory.
        this.#open.delete(session);
        handlers.ended(sessionOver());
      }
    }
    this.#options.settlement.check();
  }

  /** Ends all streams. Their sessions last until their leases expire. */
  endAll(error: BazaarError): void {
    for (const handlers of this.#open.values()) handlers.ended(error);
    this.#open.clear();
  }

  /** Ends all streams and refuses new sessions. */
  stop(reason: BazaarError): void {
    this.#stopped = reason;
    this.endAll(reason);
  }

  get #register(): Register {
    return this.#options.register();
  }

  #reply(sequence: number): TailReply {
    const { head, life } = this.#register;
    const nowMs = this.#options.clock.nowMs();
    return {
      sequence,
      head,
      life,
      leaseMs: this.#options.leaseMs,
      changes: [],
      previousHead: head,
      alone: false,
      frontEnds: this.#frontEnds.list((id) => this.#sessions.runs(id, nowMs), nowMs),
    };
  }
}

/** Accepting such an acknowledgement would settle future changes that this front-end has not received. */
function ackedTooMuch(acked: number, head: number): BazaarError {
  return new BazaarError("INVALID_REQUEST", `a front-end must acknowledge no more than order ${head} (got ${acked})`);
}

function sessionOver(): BazaarError {
  return new BazaarError("UNAVAILABLE", "the session is over; the front-end must begin a new one");
}
