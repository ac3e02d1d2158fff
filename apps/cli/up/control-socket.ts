/**
 * The socket in the data folder on which `up` takes the requests of other commands of the same user. Only who may use the
 * folder finds it, and only the user may open it. Requests and replies are HTTP; the reply is the lines of the work.
 */

import { chmodSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";

/** The longest path of a socket that every system accepts. */
const pathBytesMax = 103;

/** `undefined` if the path would be too long for a socket. */
export function controlSocketPath(dataDir: string): string | undefined {
  const path = join(dataDir, "up.sock");
  // It is made in a folder beside it.
  return Buffer.byteLength(join(dataDir, "up-XXXXXX", "socket")) > pathBytesMax ? undefined : path;
}

/** The last line of a reply says how the work has ended. */
export const doneLine = "done";
export const failedPrefix = "failed: ";

export type Work = (print: (line: string) => void, stopping: AbortSignal) => Promise<void>;

export interface ControlSocket {
  close(): void;
}

/** Serves one piece of work at a time. Throws if the socket can't be made. */
export function serveControl(path: string, work: Work): ControlSocket {
  // Nobody else may open it, not even before its rights are set. It replaces that of an `up` that was killed.
  const folder = mkdtempSync(join(dirname(path), "up-"));
  try {
    const made = join(folder, "socket");
    const server = listenOn(made, work);
    chmodSync(made, 0o600);
    renameSync(made, path);
    return {
      close() {
        void server.stop(true);
        rmSync(path, { force: true });
      },
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function listenOn(path: string, work: Work) {
  let isBusy = false;
  return Bun.serve({
    unix: path,
    fetch(request, http) {
      // A step may take longer than Bun lets a connection be silent.
      http.timeout(request, 0);
      if (request.method !== "POST" || new URL(request.url).pathname !== "/rolling-restart")
        return new Response("unknown request\n", { status: 404 });
      if (isBusy) return new Response(`${failedPrefix}another rolling restart is under way\n`);
      isBusy = true;
      return new Response(linesOf(work, () => (isBusy = false)));
    },
  });
}

function linesOf(work: Work, ended: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const stopping = new AbortController();
  return new ReadableStream({
    start(controller) {
      const print = (line: string) => {
        if (!stopping.signal.aborted) controller.enqueue(encoder.encode(`${line}\n`));
      };
      const finish = (line: string) => {
        print(line);
        ended();
        if (!stopping.signal.aborted) controller.close();
      };
      work(print, stopping.signal).then(
        () => finish(doneLine),
        (error: unknown) => finish(failedPrefix + (error instanceof Error ? error.message : String(error))),
      );
    },
    cancel: () => stopping.abort(),
  });
}
