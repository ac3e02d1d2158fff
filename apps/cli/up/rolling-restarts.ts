/** Rolling restarts of what this `up` supervises, asked for on its control socket. */

import { join } from "node:path";
import { bunCommand } from "@stock-bazaar/process/bun-command";
import type { Config } from "@stock-bazaar/process/config";
import { launch } from "@stock-bazaar/process/launch";
import type { Logger } from "@stock-bazaar/process/log";
import { stopTimeoutMs, successorVariable } from "@stock-bazaar/process/supervised";
import { messagesVersion } from "@stock-bazaar/proto/version";
import { systemClock } from "@stock-bazaar/shared/clock";
import { askServices } from "./ask-services.ts";
import { type ControlSocket, controlSocketPath, serveControl, type Work } from "./control-socket.ts";
import { catalogService, replicaService } from "./faults.ts";
import { rollingRestart } from "./rolling-restart.ts";
import type { Supervisor } from "./supervisor.ts";

/** Whether two processes can listen on one port, so that each gets a part of the connections: elsewhere one gets all. */
export const canSharePort = process.platform === "linux";

const versionFile = join(import.meta.dirname, "../../../proto/version.ts");

/** How long a part may take to come back, after those that it replaces have stopped. */
const comeBackMs = 60_000;

/** Returns `undefined` if there can be no socket; the log says why. */
export function listenForRollingRestarts(
  supervisor: Pick<Supervisor, "restartService" | "replaceService">,
  config: Config,
  frontEnds: readonly string[],
  logger: Logger,
): ControlSocket | undefined {
  const path = controlSocketPath(config.dataDir);
  if (path === undefined) {
    logger.warn(
      { dataDir: config.dataDir },
      "no rolling restarts: the path of the data folder is too long for a socket",
    );
    return undefined;
  }
  const timeoutMs = stopTimeoutMs(config) + comeBackMs;
  const work: Work = async (print, stopping) => {
    const services = askServices(config);
    try {
      await requireSameMessages();
      await migrate();
      await rollingRestart({
        replicaIds: [...config.replicas.keys()].toSorted((a, b) => a - b),
        frontEnds,
        replicaService,
        catalogService,
        look: () => services.look(),
        supervisor: {
          restartService: (name) => supervisor.restartService(name),
          replaceFrontEnd: (name) =>
            canSharePort
              ? supervisor.replaceService(name, { [successorVariable]: "1" }, timeoutMs)
              : supervisor.restartService(name),
        },
        timeoutMs,
        clock: systemClock,
        print(line) {
          logger.info(line);
          print(line);
        },
        stopping,
      });
    } catch (error) {
      logger.error({ reason: String(error) }, "the rolling restart has ended early");
      throw error;
    } finally {
      services.close();
    }
  };
  try {
    return serveControl(path, work);
  } catch (error) {
    logger.warn({ path, reason: String(error) }, "no rolling restarts: the socket can't be made");
    return undefined;
  }
}

/** Services of another version of the messages refuse each other: the first that is restarted would stay away. */
async function requireSameMessages(): Promise<void> {
  // Loaded once more, as the file may have changed.
  const onDisk = (await import(`${versionFile}?${Date.now()}`)) as { readonly messagesVersion: number };
  if (onDisk.messagesVersion === messagesVersion) return;
  throw new Error(
    `the program on disk must speak version ${messagesVersion} of the messages, as the running one (got ${onDisk.messagesVersion}): ` +
      "stop everything and start it again",
  );
}

/** The program on disk may be newer than this process, and knows its own migrations. They may run beside services. */
async function migrate(): Promise<void> {
  const child = launch({
    name: "migrate",
    command: bunCommand(join(import.meta.dirname, "..", "main.ts"), "migrate"),
    environment: process.env,
    output: "pipe",
    supervised: false,
  });
  const [code, output] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (code !== 0) throw new Error(`the databases could not be migrated: ${output.trim()}`);
}
