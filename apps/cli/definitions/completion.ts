/** Completion: the script for a shell, and the hidden command that the script asks. */

import { Argument, Command } from "commander";
import type { Shell } from "../completion.ts";
import { define } from "../definition.ts";

const shells: readonly Shell[] = ["bash", "zsh", "fish"];

export function completionCommand(): Command {
  return define({
    usage: "completion",
    description: "write what makes a shell complete commands and options",
    examples: [
      ['eval "$(bazaar completion bash)"', "in ~/.bashrc"],
      ['eval "$(bazaar completion zsh)"', "in ~/.zshrc, after compinit"],
      ["bazaar completion fish > ~/.config/fish/completions/bazaar.fish", "once"],
    ],
    exits: { 0: "it is written" },
  })
    .addArgument(new Argument("<shell>", "which").choices(shells))
    .action(async (shell: Shell) => {
      const { completionScript } = await import("../completion.ts");
      process.stdout.write(completionScript(shell));
    });
}

/** Gets the words that were typed after `bazaar`, of which the last is to be completed. */
export function completeCommand(program: Command): Command {
  return new Command("complete").argument("[words...]").action(async (words: string[]) => {
    const { writeCandidates } = await import("../completion.ts");
    writeCandidates(program, words);
  });
}
