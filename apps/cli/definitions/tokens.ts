/** The command that adds tokens to the file of `API_TOKENS_FILE`, lists and revokes them. */

import { type Scope, scopes } from "@stock-bazaar/contract/access";
import { tokenNamePattern, tokenNameRule } from "@stock-bazaar/process/token-file";
import { Argument, type Command, InvalidArgumentError } from "commander";
import type { TokenAction, TokenOptions } from "../commands/token.ts";
import { define } from "../definition.ts";
import { filled, listOf } from "../options.ts";

const actions = ["add", "list", "revoke"] as const satisfies readonly TokenAction[];

export function tokenCommand(): Command {
  return define({
    usage: "token",
    description:
      "add a token for clients of the front-ends, list the tokens, or revoke one; the file is API_TOKENS_FILE",
    examples: [
      ["bazaar token add robot --scopes read,trade", "prints the token, once: only its hash is stored"],
      ["bazaar token list", "names and scopes"],
      ["bazaar token revoke robot", "its next request is refused, within a second"],
    ],
    exits: { 0: "done", 1: "nothing was changed: the name is taken, or no token has it" },
  })
    .addArgument(new Argument("<action>", "what to do").choices(actions))
    .addArgument(new Argument("[name]", "whose token it is; not for list").argParser(tokenName))
    .option("--scopes <list>", `what it may do: one or several of ${scopes.join(", ")}; for add`, listOf<Scope>(scopes))
    .option("--file <file>", "the file; default: API_TOKENS_FILE", filled("the name of a file"))
    .option("--json", "print the result as JSON")
    .action(async (action: TokenAction, name: string | undefined, options: TokenOptions) =>
      (await import("../commands/token.ts")).token(action, name, options),
    );
}

function tokenName(text: string): string {
  if (!tokenNamePattern.test(text)) throw new InvalidArgumentError(`must be ${tokenNameRule}`);
  return text;
}
