/** What a Tab offers in those of the real shells that are installed. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

// The tests start processes, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const binaries = resolve(import.meta.dirname, "../../node_modules/.bin");

/** For each shell, a script that prints the candidates for words that are typed after `bazaar`. */
const ask = {
  // As readline does on Tab: sets the variables, then calls the function.
  bash: (words: readonly string[]) => `eval "$(bazaar completion bash)"
COMP_WORDS=(bazaar ${quoted(words)}); COMP_CWORD=${words.length}
_bazaar; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // As the completion system does, without the menu that it draws.
  zsh: (words: readonly string[]) => `compdef() { [[ $1 == _bazaar && $2 == bazaar ]] || print "not registered" }
eval "$(bazaar completion zsh)"
_describe() { local each; for each in "\${(@P)2}"; do print -r -- "\${each%%:*}"; done }
_files() {}
words=(bazaar ${quoted(words)}); CURRENT=${words.length + 1}
_bazaar`,
  fish: (words: readonly string[]) => `bazaar completion fish | source
complete -C ${quoted([`bazaar ${words.join(" ")}`])} | string replace -r '\\t.*' ''`,
};

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word}'`).join(" ");
}

async function candidates(shell: keyof typeof ask, words: readonly string[]): Promise<string[]> {
  const flags = { bash: ["--norc", "-c"], zsh: ["-f", "-c"], fish: ["--no-config", "-c"] };
  const { stdout, exited } = Bun.spawn([shell, ...flags[shell], ask[shell](words)], {
    env: { PATH: `${binaries}:${process.env.PATH}`, HOME: temporaryFolder() },
    // An empty folder, so that no file is offered.
    cwd: temporaryFolder(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await stdout.text();
  await exited;
  return text.split("\n").filter((line) => line !== "");
}

const installed = (Object.keys(ask) as (keyof typeof ask)[]).filter((shell) => Bun.which(shell) !== null);

test("at least one of the shells is installed", () => {
  expect(installed).not.toEqual([]);
});

describe.each(installed)("%s", (shell) => {
  test("completes commands, options and choices", async () => {
    expect(await candidates(shell, [""])).toEqual(expect.arrayContaining(["up", "status", "client", "completion"]));
    expect(await candidates(shell, ["ch"])).toEqual(["chaos"]);
    expect((await candidates(shell, ["chaos", "--ro"])).sort()).toEqual(["--round-seconds", "--rounds"]);
    expect((await candidates(shell, ["trade", ""])).sort()).toEqual(["buy", "sell"]);
    expect((await candidates(shell, ["client", "--type", "s"])).sort()).toEqual(["session", "session-check"]);
  });

  test("never runs the typed text", async () => {
    const trap = join(temporaryFolder(), "trap");
    await candidates(shell, ["lookup", `$(touch ${trap})`, ""]);
    await candidates(shell, ["lookup", `;touch ${trap};`, ""]);
    expect(existsSync(trap)).toBe(false);
  });
});
