/** How far a campaign is: a bar that moves on a terminal, one line for each round elsewhere. */

import { describeRound, describeTotals } from "./report.ts";
import type { RoundResult } from "./round.ts";
import type { Totals } from "./totals.ts";

const barWidth = 24;
const clearLine = "\r\u001b[K";

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class Progress {
  readonly #terminal: Terminal;
  readonly #rounds: number;

  constructor(terminal: Terminal, rounds: number) {
    this.#terminal = terminal;
    this.#rounds = rounds;
  }

  round(result: RoundResult, totals: Totals): void {
    if (!this.#terminal.isTTY) {
      this.#terminal.write(`${describeRound(result)}\n`);
      return;
    }
    // A round that failed stays to be seen.
    if (result.violations.length > 0) this.#terminal.write(`${clearLine}${describeRound(result)}\n`);
    const done = Math.round((totals.rounds / this.#rounds) * barWidth);
    const bar = `[${"#".repeat(done)}${".".repeat(barWidth - done)}]`;
    const line = `${bar} ${totals.rounds}/${this.#rounds}  ${describeTotals(totals)}`;
    this.#terminal.write(`${clearLine}${line.slice(0, (this.#terminal.columns ?? line.length + 1) - 1)}`);
  }

  end(): void {
    if (this.#terminal.isTTY) this.#terminal.write(clearLine);
  }
}
