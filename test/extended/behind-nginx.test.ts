/** `deploy/nginx/stock-bazaar.conf` in front of two front-ends: trades and events pass, floods and slow senders don't. */

import { readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { root } from "@stock-bazaar/cluster/service";
import { eventually } from "@stock-bazaar/cluster/wait";
import { expect, test } from "vitest";
import { Cluster } from "../e2e/support/cluster.ts";
import { expectInvariants } from "../e2e/support/invariants.ts";
import { Traffic } from "@stock-bazaar/chaos/clients/traffic";
import { get } from "../support/requests.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const nginx = Bun.which("nginx", { PATH: `${process.env.PATH}:/usr/sbin` });

test("trades pass, a slow sender is cut off, and one address can't take all connections", {
  timeout: 120_000,
}, async (context) => {
  if (nginx === null) return context.skip("the Debian package nginx-light must be installed");
  const cluster = await Cluster.start(context, { frontEnds: 2, environment: { TRUSTED_PROXIES: "127.0.0.1" } });
  const [port = 0] = await freePorts(1);
  const folder = temporaryFolder();
  const [one = "", other = ""] = cluster.urls.map((url) => new URL(url).host);
  const site = readFileSync(join(root, "deploy/nginx/stock-bazaar.conf"), "utf8")
    .replace("listen 8000;", `listen 127.0.0.1:${port};`)
    .replace("server 127.0.0.1:8080;", `server ${one};`)
    .replace("# server 127.0.0.1:8081;", `server ${other};`)
    // Waits of seconds, so that the test needn't wait for ten.
    .replace("client_header_timeout 10s", "client_header_timeout 1s");
  writeFileSync(join(folder, "site.conf"), site);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(
    (name) => `${name}_temp_path ${folder}/${name};`,
  );
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; pid ${folder}/pid; error_log stderr;\nevents { worker_connections 1024; }\nhttp { access_log off; ${temporary.join(" ")}\ninclude ${folder}/site.conf; }\n`,
  );
  const child = Bun.spawn([nginx, "-c", join(folder, "nginx.conf"), "-p", folder], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  context.onTestFinished(async () => {
    child.kill("SIGTERM");
    await child.exited;
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(
    "nginx passes requests on",
    async () => (await get(`${url}/readyz`).catch(() => undefined))?.status === 200,
  );

  const traffic = new Traffic({ urls: [url], clients: 8 });
  await traffic.more(200);
  await traffic.stop();
  expect(traffic.failures).toEqual([]);

  const events = connect(port, "127.0.0.1");
  let text = "";
  events.on("data", (bytes: Buffer) => void (text += bytes.toString()));
  events.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await eventually("events arrive", () => text.includes("event: cluster"));
  events.destroy();

  const slow = connect(port, "127.0.0.1");
  let isCutOff = false;
  slow.on("close", () => void (isCutOff = true));
  slow.on("error", () => {});
  slow.write("GET /stocks/GameStart HTTP/1.1\r\nHo");
  await eventually("the slow sender is cut off", () => isCutOff);

  const sockets: Socket[] = [];
  context.onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
  });
  const replies: string[] = [];
  for (let count = 0; count < 110; count += 1) {
    const socket = connect(port, "127.0.0.1");
    sockets.push(socket);
    socket.once("data", (bytes: Buffer) => void replies.push(bytes.toString().slice(0, 12)));
    socket.on("error", () => {});
    socket.write("GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  await eventually("each connection has a reply", () => replies.length === 110);
  expect(replies.filter((reply) => reply === "HTTP/1.1 200")).toHaveLength(100);
  expect(replies.filter((reply) => reply === "HTTP/1.1 429")).toHaveLength(10);
  for (const socket of sockets) socket.destroy();
  await expectInvariants(cluster, { records: traffic.records });
});
