/** In the real shells, those that are installed: what a Tab would offer. */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";

// Processes are started here, maybe on a machine that has enough to do.
vi.setConfig({ testTimeout: 30_000 });

const binaries = resolve(import.meta.dirname, "../../node_modules/.bin");

/** For each shell, how to ask for the candidates of words that are typed after `bazaar`. */
const ask = {
  // What readline does on Tab: the variables, then the function.
  bash: (words: readonly string[]) => `eval "$(bazaar completion bash)"
COMP_WORDS=(bazaar ${quoted(words)}); COMP_CWORD=${words.length}
_bazaar; printf '%s\\n' "\${COMPREPLY[@]}"`,
  // What the completion system does, but for the menu that it draws.
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
    // No file that could be offered.
    cwd: temporaryFolder(),
    stdio: ["ignore", "pipe", "inherit"],
  });
  const text = await stdout.text();
  await exited;
  return text.split("\n").filter((line) => line !== "");
}

const installed = (Object.keys(ask) as (keyof typeof ask)[]).filter((shell) => Bun.which(shell) !== null);

test("there is a shell to try it in", () => {
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

  test("never runs what was typed", async () => {
    const trap = join(temporaryFolder(), "trap");
    await candidates(shell, ["lookup", `$(touch ${trap})`, ""]);
    await candidates(shell, ["lookup", `;touch ${trap};`, ""]);
    expect(existsSync(trap)).toBe(false);
  });
});
