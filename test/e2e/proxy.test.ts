/** An environment that names a proxy, as on a company's laptop or in CI: the parts must connect to each other without it. */

import { createServer } from "node:net";
import { at } from "@stock-bazaar/shared/json";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { expect, onTestFinished, test } from "vitest";
import { bazaar } from "../support/command-line.ts";
import { newTrade, trade } from "../support/requests.ts";
import { startUp } from "./support/up.ts";

const names = ["http_proxy", "https_proxy", "grpc_proxy", "all_proxy"].flatMap((name) => [name, name.toUpperCase()]);

/** Starts a proxy that answers nothing and counts its connections. */
async function silentProxy(): Promise<{ readonly environment: Record<string, string>; readonly visits: () => number }> {
  let visits = 0;
  const server = createServer((socket) => {
    visits += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return { environment: Object.fromEntries(names.map((name) => [name, url])), visits: () => visits };
}

test("links between the parts, and the commands that call a front-end, never use the proxy", async (context) => {
  const { environment, visits } = await silentProxy();
  const up = await startUp(context, { environment });
  expect((await trade(up.url, newTrade())).status).toBe(200);
  const ports = ["--port", String(up.ports[0])];
  const status = await bazaar(["status", "--json", ...ports], { environment });
  expect(at(JSON.parse(status.stdout), "ready")).toBe(true);
  const client = await bazaar(["client", "--clients", "2", "--requests", "10", ...ports], { environment });
  expect(client).toMatchObject({ exitCode: 0 });
  expect(visits()).toBe(0);
});

test("fetchDirectly never uses the proxy", async () => {
  const { environment, visits } = await silentProxy();
  const server = Bun.serve({ port: 0, fetch: () => new Response("here") });
  onTestFinished(() => server.stop(true));
  const script = `
    const { fetchDirectly } = await import(${JSON.stringify(import.meta.resolve("@stock-bazaar/process/fetch-directly"))});
    console.log(await (await fetchDirectly("http://127.0.0.1:${server.port}/")).text());`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, ...environment },
    stdout: "pipe",
  });
  expect(await child.stdout.text()).toBe("here\n");
  expect(visits()).toBe(0);
  expect((await fetchDirectly(server.url.href)).status).toBe(200);
});
