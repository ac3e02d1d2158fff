/** The PostgreSQL server of a campaign's ledgers, to which faults can happen as well. */

export interface LedgerServer {
  /** Creates an empty database. Returns its URL. */
  readonly newDatabase: () => Promise<string>;
  /** Ends it: SIGINT gives each session an error, SIGKILL hits the postmaster alone. Resolves when no process is left. */
  readonly end: (signal: "SIGINT" | "SIGKILL") => Promise<void>;
  /** Resolves when it accepts connections again. */
  readonly start: () => Promise<void>;
  /** SIGSTOP for all its processes. */
  readonly freeze: () => Promise<void>;
  readonly thaw: () => Promise<void>;
}
