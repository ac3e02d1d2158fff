/** The command that makes certificates. */

import type { Command } from "commander";
import type { CertsOptions } from "../commands/certs.ts";
import { define } from "../definition.ts";
import { filled, hostName } from "../options.ts";

export function certsCommand(): Command {
  return define({
    usage: "certs",
    description: "make a CA and a certificate for all parts of a bazaar, and print the variables that turn TLS on",
    examples: [
      ["bazaar certs", "for a bazaar on this machine, in ./certs"],
      ["bazaar certs --host catalog.example,10.0.0.7 --to /etc/bazaar", "for parts on several machines"],
      ["bazaar certs >> .env", "with the variables at the end of a file"],
    ],
    exits: { 0: "the files were made", 1: "one of them exists, or can't be written" },
  })
    .option(
      "--to <folder>",
      "folder for ca.pem, ca-key.pem, cert.pem and key.pem",
      filled("the name of a folder"),
      "certs",
    )
    .option("--host <list>", "hosts where others dial the parts, beside localhost, separated by commas", hosts)
    .action(async (options: CertsOptions) => (await import("../commands/certs.ts")).certs(options));
}

function hosts(text: string): string[] {
  return text.split(",").map((host) => hostName(host.trim()));
}
