/**
 * Shell completion. The shell gets its candidates from the program itself: `bazaar complete -- <words>`, which uses
 * @bomb.sh/tab. The shell functions are written here, because those of the library need another package in bash and
 * evaluate what was typed: a Tab after `$(…)` would run it. These functions pass the words on unchanged.
 */

import tab from "@bomb.sh/tab";
import type { Argument, Command, Option } from "commander";

export type Shell = "bash" | "zsh" | "fish";

type Complete = (value: string, description: string) => void;

/** Writes the candidates for the last word, one in a line: the candidate, a tab, its description. */
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
 * Returns the script that makes a shell complete `bazaar`. It skips the last line that the library writes, like `:4`:
 * only the library's own scripts use it.
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
