/** Shows the progress of a campaign: a bar on a terminal, one line per round elsewhere. */

import { ProgressBar, type Terminal } from "@stock-bazaar/report/progress-bar";
import { describeRound, describeTotals } from "./report.ts";
import type { RoundResult } from "./round.ts";
import type { Totals } from "./totals.ts";

export class Progress {
  readonly #bar: ProgressBar;
  readonly #rounds: number;

  constructor(terminal: Terminal, rounds: number) {
    this.#bar = new ProgressBar(terminal, rounds);
    this.#rounds = rounds;
  }

  round(result: RoundResult, totals: Totals): void {
    // The line of a failed round stays visible above the bar.
    if (!this.#bar.isDrawn || result.violations.length > 0) this.#bar.say(describeRound(result));
    this.#bar.show(totals.rounds, `${totals.rounds}/${this.#rounds}  ${describeTotals(totals)}`);
  }

  end(): void {
    this.#bar.end();
  }
}
