/** `npm start` and `npm run` without the installation before them, because only one test may install at a time. */

import manifest from "../../../../package.json" with { type: "json" };

const [command = "", ...given] = process.argv.slice(2);
const words = given.filter((word) => word !== "--silent" && word !== "--");
const name = command === "run" ? words.shift() : command;
const script = name === undefined ? undefined : Reflect.get(manifest.scripts, name);
if (typeof script !== "string") {
  process.stderr.write(`package.json must have the script (got "${name}")\n`);
  process.exit(1);
}
const child = Bun.spawn(["sh", "-c", `${script} "$@"`, "sh", ...words], { stdio: ["inherit", "inherit", "inherit"] });
process.exit(await child.exited);
