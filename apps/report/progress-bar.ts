/**
 * A progress bar in the last line of a terminal. Without a terminal nothing can be redrawn, so it draws no bar and
 * writes only the lines of `say`.
 */

const barWidth = 24;
const clearLine = "\r\u001b[K";

export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

export class ProgressBar {
  readonly #terminal: Terminal;
  readonly #total: number;

  constructor(terminal: Terminal, total: number) {
    this.#terminal = terminal;
    this.#total = total;
  }

  get isDrawn(): boolean {
    return this.#terminal.isTTY === true;
  }

  /** Draws the bar with `text` after it, cut off at the edge of the terminal. */
  show(done: number, text: string): void {
    if (!this.isDrawn) return;
    const filled = Math.round((Math.min(done, this.#total) / Math.max(1, this.#total)) * barWidth);
    const line = `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${text}`;
    this.#terminal.write(`${clearLine}${line.slice(0, (this.#terminal.columns ?? line.length + 1) - 1)}`);
  }

  /** Writes a line that stays, above the bar. */
  say(line: string): void {
    this.#terminal.write(`${this.isDrawn ? clearLine : ""}${line}\n`);
  }

  end(): void {
    if (this.isDrawn) this.#terminal.write(clearLine);
  }
}
