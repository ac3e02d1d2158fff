/** `bazaar rolling-restart`: asks the `up` of this data folder to restart its services one after another. */

import { readConfig } from "@stock-bazaar/process/config";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { CommandError, exitCodes } from "../errors.ts";
import { controlSocketPath, doneLine, failedPrefix } from "../up/control-socket.ts";

export async function rollingRestart(): Promise<void> {
  const { dataDir } = readConfig(process.env);
  const path = controlSocketPath(dataDir);
  if (path === undefined) {
    const must = `the path of DATA_DIR must be shorter for a rolling restart (got ${JSON.stringify(dataDir)})`;
    throw new CommandError(must, exitCodes.usage);
  }
  let end = "";
  try {
    const response = await fetchDirectly("http://up/rolling-restart", {
      method: "POST",
      unix: path,
      timeout: false,
    } as RequestInit);
    for await (const line of linesOf(response)) {
      if (line === doneLine || line.startsWith(failedPrefix)) end = line;
      else process.stdout.write(`${line}\n`);
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`no bazaar that \`bazaar up\` runs in ${dataDir} answers: ${why}`, exitCodes.noAnswer);
  }
  if (end === doneLine) return;
  throw new CommandError(end === "" ? "`bazaar up` has ended" : end.slice(failedPrefix.length));
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
  }
}
