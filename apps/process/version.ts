/** The version of the program, from its only place: package.json. */

import manifest from "../../package.json" with { type: "json" };

export const { version } = manifest;
