/** The version of the whole, from its one place: package.json. */

import manifest from "../../package.json" with { type: "json" };

export const { version } = manifest;
