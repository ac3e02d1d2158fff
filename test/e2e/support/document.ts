/**
 * Reads the commands of a document, so that a test can run them. In a `console` block, a command follows `$ ` and continues on
 * lines that begin with two spaces. The other lines are its output, in which `…` stands for any text: for whole lines if
 * it is alone on its line, otherwise for a part of one. An `sh` block is one command, which must succeed.
 */

export interface Step {
  /** Its line number, for messages. */
  readonly line: number;
  readonly command: string;
  /** The documented output; `undefined` in an `sh` block, which may print anything. */
  readonly output: string | undefined;
}

export function readSteps(markdown: string, languages: readonly ("console" | "sh")[]): Step[] {
  const steps: Step[] = [];
  const lines = markdown.split("\n");
  for (let index = 0; index < lines.length; index += 1) {
    const language = /^\s*```(\w+)$/.exec(lines[index] ?? "")?.[1];
    if (language === undefined) continue;
    const end = lines.findIndex((line, at) => at > index && /^\s*```$/.test(line));
    const block = { line: index + 2, lines: lines.slice(index + 1, end) };
    if (language === "sh" && languages.includes("sh")) {
      steps.push({ line: block.line, command: block.lines.join("\n"), output: undefined });
    }
    if (language === "console" && languages.includes("console")) steps.push(...consoleSteps(block));
    index = end;
  }
  return steps;
}

function consoleSteps(block: { line: number; lines: readonly string[] }): Step[] {
  const steps: { line: number; command: string[]; output: string[] }[] = [];
  for (const [offset, text] of block.lines.entries()) {
    const step = steps.at(-1);
    if (text.startsWith("$ ")) steps.push({ line: block.line + offset, command: [text.slice(2)], output: [] });
    else if (step === undefined)
      throw new Error(`line ${block.line}: a console block must begin with a command (got ${JSON.stringify(text)})`);
    else if (text.startsWith("  ") && step.output.length === 0) step.command.push(text);
    else step.output.push(text);
  }
  return steps.map(({ line, command, output }) => ({
    line,
    command: command.join("\n"),
    output: output.join("\n").trimEnd(),
  }));
}

/** Whether the printed output matches the documented one. */
export function matchesOutput(documented: string, printed: string): boolean {
  const lines = documented.split("\n").map((line) => {
    if (line === "…") return "(?:.*\n)*?";
    return `${line.split("…").map(escaped).join(".*")}\n`;
  });
  const text = printed.replaceAll("\r", "");
  return new RegExp(`^${documented === "" ? "" : lines.join("")}$`).test(
    text === "" || text.endsWith("\n") ? text : `${text}\n`,
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
