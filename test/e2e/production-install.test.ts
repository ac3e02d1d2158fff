/** No service needs a package that `bun install --production` leaves out. */

import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { freePorts } from "@stock-bazaar/cluster/ports";
import { eventually } from "@stock-bazaar/cluster/wait";
import { fetchDirectly } from "@stock-bazaar/process/fetch-directly";
import { expect, onTestFinished, test } from "vitest";
import { get } from "../support/requests.ts";
import { copyTree } from "./support/tree-copy.ts";

test("after an installation without the development packages, the bazaar starts and serves its pages", async () => {
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
  const stderr = await install.stderr.text();
  expect({ exitCode: await install.exited, stderr }).toMatchObject({ exitCode: 0 });

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
  // The page is bundled at its first request.
  for (const route of ["/", "/docs", "/openapi.json"]) {
    expect({ route, status: (await fetchDirectly(`${url}${route}`)).status }).toEqual({ route, status: 200 });
  }
  up.kill("SIGTERM");
  expect(await up.exited).toBe(0);
});
