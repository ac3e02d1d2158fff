import { existsSync, statSync, writeFileSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { controlSocketPath, serveControl, type Work } from "./control-socket.ts";

function serve(work: Work) {
  const path = controlSocketPath(temporaryFolder()) ?? "";
  // As an earlier `up` leaves it that was killed.
  writeFileSync(path, "");
  const control = serveControl(path, work);
  onTestFinished(() => control.close());
  const ask = (method = "POST") => fetchDirectly("http://up/rolling-restart", { method, unix: path } as RequestInit);
  return { path, control, ask };
}

test("the lines of the work arrive as they are made, and the last one says how it ended", async () => {
  const goOn = Promise.withResolvers<void>();
  const { ask } = serve(async (print) => {
    print("one");
    await goOn.promise;
    print("two");
  });
  const response = await ask();
  expect(await (await ask()).text()).toBe("failed: another rolling restart is under way\n");
  goOn.resolve();
  expect(await response.text()).toBe("one\ntwo\ndone\n");
  expect(await (await ask()).text()).toBe("one\ntwo\ndone\n");
});

test("a failure is the last line, and other requests do nothing", async () => {
  const { ask } = serve(() => Promise.reject(new Error("order-1 is away")));
  expect(await (await ask()).text()).toBe("failed: order-1 is away\n");
  expect((await ask("GET")).status).toBe(404);
});

test("only the user may open the socket, and it is gone at the end", () => {
  const { path, control } = serve(async () => {});
  expect(statSync(path).mode & 0o777).toBe(0o600);
  control.close();
  expect(existsSync(path)).toBe(false);
});

test("a path that is too long for a socket is noticed", () => {
  expect(controlSocketPath(`/${"x".repeat(100)}`)).toBeUndefined();
});
