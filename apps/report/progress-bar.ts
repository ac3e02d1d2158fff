/**
 * A bar that moves in the last line of a terminal. Where there is no terminal nothing can be drawn over: what has to be
 * told there is told in lines.
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

  /** `text` stands behind the bar, cut off where the terminal ends. */
  show(done: number, text: string): void {
    if (!this.isDrawn) return;
    const filled = Math.round((Math.min(done, this.#total) / Math.max(1, this.#total)) * barWidth);
    const line = `[${"#".repeat(filled)}${".".repeat(barWidth - filled)}] ${text}`;
    this.#terminal.write(`${clearLine}${line.slice(0, (this.#terminal.columns ?? line.length + 1) - 1)}`);
  }

  /** A line that stays. */
  say(line: string): void {
    this.#terminal.write(`${this.isDrawn ? clearLine : ""}${line}\n`);
  }

  end(): void {
    if (this.isDrawn) this.#terminal.write(clearLine);
  }
}
