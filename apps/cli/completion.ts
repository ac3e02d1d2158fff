/**
 * Shell completion. What can stand next is asked of the program itself, `bazaar complete -- <words>`, by way of
 * @bomb.sh/tab. The few lines of shell that ask are our own: those of the library need another package in bash, and
 * evaluate what was typed, so that a Tab after `$(…)` would run it. Here the words are passed on as they are.
 */

import tab from "@bomb.sh/tab";
import type { Argument, Command, Option } from "commander";

export type Shell = "bash" | "zsh" | "fish";

type Complete = (value: string, description: string) => void;

/** Writes the candidates for the last of the words: one in a line, a tab, what it is. */
export function writeCandidates(program: Command, words: readonly string[]): void {
  for (const command of program.createHelp().visibleCommands(program)) {
    const known = tab.command(command.name(), firstLine(command.description()));
    for (const option of command.createHelp().visibleOptions(command)) addOption(known, option);
    for (const argument of command.registeredArguments) known.argument(argument.name(), choices(argument));
  }
  tab.parse([...words]);
}

function addOption(command: ReturnType<typeof tab.command>, option: Option): void {
  const { long, description, required, optional } = option;
  if (!long) return;
  const name = long.slice(2);
  if (required || optional) command.option(name, description, choices(option));
  else command.option(name, description);
}

function choices({ argChoices }: Pick<Argument, "argChoices"> | Option) {
  return (complete: Complete) => {
    for (const choice of argChoices ?? []) complete(choice, "");
  };
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}

/**
 * What a shell has to run to complete `bazaar`. Of what the library answers the last line (`:4`, say) is for its own
 * scripts.
 */
export function completionScript(shell: Shell): string {
  switch (shell) {
    case "bash":
      return `_bazaar() {
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD}") line IFS=$'\\n'
  COMPREPLY=()
  while IFS=$'\\t' read -r line _; do
    [[ $line == :* || $line != "\${COMP_WORDS[COMP_CWORD]}"* ]] || COMPREPLY+=("$line")
  done < <("\${COMP_WORDS[0]}" complete -- "\${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _bazaar bazaar
`;
    case "zsh":
      return `#compdef bazaar
_bazaar() {
  local -a candidates
  local line
  "\${words[1]}" complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null | while IFS= read -r line; do
    [[ $line == :* ]] || candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if (( \${#candidates} )); then _describe bazaar candidates; else _files; fi
}
if [[ $funcstack[1] == _bazaar ]]; then _bazaar "$@"; else compdef _bazaar bazaar; fi
`;
    case "fish":
      return `function __bazaar_complete
  set -l words (commandline -opc)
  $words[1] complete -- $words[2..] (commandline -ct) 2>/dev/null | string match -v -r '^:'
end
complete -c bazaar -a '(__bazaar_complete)'
`;
  }
}
