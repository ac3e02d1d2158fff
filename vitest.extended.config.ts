/**
 * `npm run test:extended`: tests that take long and that few changes can break.
 *
 * Their own configuration keeps them out of `npm test`, which still accepts `--project`.
 */

import { defineConfig } from "vitest/config";
import { withProcesses } from "./vitest.config.ts";

export default defineConfig({
  test: { name: "extended", include: ["test/extended/**/*.test.ts"], ...withProcesses },
});
