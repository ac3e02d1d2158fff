/** Shell completion: the command that prints the script, and the hidden command that the script calls. */

import { Argument, Command } from "commander";
import type { Shell } from "../completion.ts";
import { define } from "../definition.ts";

const shells: readonly Shell[] = ["bash", "zsh", "fish"];

export function completionCommand(): Command {
  return define({
    usage: "completion",
    description: "print the script that makes a shell complete commands and options",
    examples: [
      ['eval "$(bazaar completion bash)"', "in ~/.bashrc"],
      ['eval "$(bazaar completion zsh)"', "in ~/.zshrc, after compinit"],
      ["bazaar completion fish > ~/.config/fish/completions/bazaar.fish", "run once"],
    ],
    exits: { 0: "the script was printed" },
  })
    .addArgument(new Argument("<shell>", "the shell to complete in").choices(shells))
    .action(async (shell: Shell) => {
      const { completionScript } = await import("../completion.ts");
      process.stdout.write(completionScript(shell));
    });
}

/** Receives the words that were typed after `bazaar`. The last one is to be completed. */
export function completeCommand(program: Command): Command {
  return new Command("complete").argument("[words...]").action(async (words: string[]) => {
    const { writeCandidates } = await import("../completion.ts");
    writeCandidates(program, words);
  });
}
