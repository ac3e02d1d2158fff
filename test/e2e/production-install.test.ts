/** What `bun install --production` leaves out, no service needs. */

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { expect, onTestFinished, test } from "vitest";
import { get } from "../support/requests.ts";
import { copyTree } from "./support/tree-copy.ts";

test("after an installation without what is for development only, everything starts and trades", async () => {
  const folder = copyTree();
  const programs = join(folder, "..", "programs");
  mkdirSync(programs);
  symlinkSync(process.execPath, join(programs, "bun"));
  const path = `${programs}:/usr/bin:/bin`;

  const install = Bun.spawn([join(programs, "bun"), "install", "--production", "--frozen-lockfile"], {
    cwd: folder,
    env: { ...process.env, PATH: path },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const complaint = await install.stderr.text();
  expect({ exitCode: await install.exited, complaint }).toMatchObject({ exitCode: 0 });

  const [frontEnd, catalog, ...replicas] = await freePorts(5);
  const up = Bun.spawn([join(folder, "apps/cli/bazaar"), "up"], {
    cwd: folder,
    env: {
      PATH: path,
      FRONTEND_PORT: String(frontEnd),
      CATALOG_PORT: String(catalog),
      ORDER_REPLICAS: replicas.map((port, index) => `${index + 1}=127.0.0.1:${port}`).join(),
    },
    stdio: ["ignore", "ignore", "inherit"],
  });
  onTestFinished(async () => {
    up.kill("SIGKILL");
    await up.exited;
  });
  const url = `http://127.0.0.1:${frontEnd}`;
  await eventually("the bazaar is open", async () => (await get(`${url}/readyz`)).status === 200);
  expect((await get(`${url}/stocks/GameStart`)).status).toBe(200);
  // The page is bundled when it is first asked for.
  for (const route of ["/", "/docs", "/openapi.json"]) {
    expect({ route, status: (await fetchDirectly(`${url}${route}`)).status }).toEqual({ route, status: 200 });
  }
  up.kill("SIGTERM");
  expect(await up.exited).toBe(0);
});
