/**
 * `npm run test:extended`: tests that take long and that few changes can break. A configuration of its own, so that
 * `npm test` leaves them out and still takes `--project`.
 */

import { defineConfig } from "vitest/config";
import { withProcesses } from "./vitest.config.ts";

export default defineConfig({
  test: { name: "extended", include: ["test/extended/**/*.test.ts"], ...withProcesses },
});
