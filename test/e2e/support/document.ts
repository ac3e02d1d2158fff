/**
 * A document that tells people what to type, as something that can be run. In a `console` block a line after `$ ` is a
 * command, lines after it that begin with two spaces go on with it, and the rest is what it prints, where `…` stands for
 * anything: for lines if alone on its line, else for a part of one. In an `sh` block all is one command that has to work.
 */

export interface Step {
  /** Where it stands, for messages. */
  readonly line: number;
  readonly command: string;
  /** Absent in an `sh` block: anything. */
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
    else if (step === undefined) throw new Error(`line ${block.line}: a console block begins with a command`);
    else if (text.startsWith("  ") && step.output.length === 0) step.command.push(text);
    else step.output.push(text);
  }
  return steps.map(({ line, command, output }) => ({
    line,
    command: command.join("\n"),
    output: output.join("\n").trimEnd(),
  }));
}

/** Is this what the document says is printed? */
export function matchesOutput(said: string, printed: string): boolean {
  const lines = said.split("\n").map((line) => {
    if (line === "…") return "(?:.*\n)*?";
    return `${line.split("…").map(escaped).join(".*")}\n`;
  });
  const text = printed.replaceAll("\r", "");
  return new RegExp(`^${said === "" ? "" : lines.join("")}$`).test(
    text === "" || text.endsWith("\n") ? text : `${text}\n`,
  );
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
