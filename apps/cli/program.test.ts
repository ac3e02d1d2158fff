import { Command } from "commander";
import { describe, expect, test, vi } from "vitest";
import { bazaar } from "../../test/support/command-line.ts";
import { createProgram } from "./program.ts";

// Processes are started here, maybe on a machine that has enough to do.
vi.setConfig({ testTimeout: 30_000 });

const commands = createProgram().createHelp().visibleCommands(createProgram());
const names = commands.map((command) => command.name()).filter((name) => name !== "help");

/** What follows a heading of a help text, until the next blank line. */
function section(text: string, heading: string): string[] {
  const lines = text.split("\n");
  const start = lines.indexOf(`${heading}:`);
  const end = lines.indexOf("", start);
  return start < 0 ? [] : lines.slice(start + 1, end < 0 ? undefined : end);
}

function helpOf(name: string): string {
  const program = createProgram();
  const command = program.commands.find((known) => known.name() === name) ?? new Command();
  let text = "";
  command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
  return text;
}

/** The words of an example that follow `bazaar`, without what a shell does with them. */
function words(example: string): string[] {
  const [line = ""] = example.trim().split(/ {2,}/);
  const [, rest = ""] = /(?:^|[ (])bazaar ([^)>]*)/.exec(line) ?? [];
  return rest.trim().split(" ");
}

/** The program with commands that do nothing, and that throw what they would have told. */
function parse(args: readonly string[]): Promise<Command> {
  const program = createProgram();
  for (const command of program.commands) {
    // What an example stands for is tried in other tests: here it has to be understood.
    command.action(() => {});
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  return program.parseAsync(args, { from: "user" });
}

test("every command is there", () => {
  expect(names).toEqual([
    "up",
    "status",
    "lookup",
    "trade",
    "order",
    "migrate",
    "seed",
    "import",
    "export",
    "verify",
    "rebuild-catalog",
    "client",
    "evaluate",
    "bench",
    "chaos",
    "completion",
  ]);
});

describe.each(names)("the help of %s", (name) => {
  const help = helpOf(name);

  test("says what exit codes mean", () => {
    const codes = section(help, "Exit codes").map((line) => line.trim()[0]);
    expect(codes).toEqual(expect.arrayContaining(["0", "2"]));
  });

  test("shows examples that the command understands", async () => {
    const examples = section(help, "Examples");
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const args = words(example);
      expect(args[0], example).toBe(name);
      await expect(parse(args), example).resolves.toBeInstanceOf(Command);
    }
  });
});

test("an example with an option that isn't there would be noticed", async () => {
  await expect(parse(["client", "--fast"])).rejects.toThrow("unknown option");
});

test("status --every watches, as it has no other use", async () => {
  const program = await parse(["status", "--every", "5"]);
  expect(program.commands.find((command) => command.name() === "status")?.opts()).toMatchObject({ watch: true });
});

test("help and completion load neither a database nor gRPC, nor what draws plots", async () => {
  const program = JSON.stringify(`${import.meta.dirname}/program.ts`);
  const script = `const { createProgram } = await import(${program});
    createProgram().configureOutput({ writeOut() {} }).outputHelp();
    const { writeCandidates } = await import(${program.replace("program.ts", "completion.ts")});
    writeCandidates(createProgram(), ["chaos", "--"]);
    console.log(JSON.stringify(Object.keys(require.cache)));`;
  const { stdout, exited } = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const loaded = JSON.parse((await stdout.text()).trim().split("\n").at(-1) ?? "[]") as string[];
  expect(await exited).toBe(0);
  expect(loaded.some((file) => file.includes("/commander"))).toBe(true);
  expect(
    loaded.filter((file) => /better-sqlite3|grpc|drizzle|pino|vega|zod|hono|apps\/cli\/commands\//.test(file)),
  ).toEqual([]);
});

test("exit codes and the hidden command stay out of each other's way", async () => {
  const { stdout, exitCode } = await bazaar(["--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).not.toMatch(/^ {2}complete\b/m);
  expect(section(stdout, "Exit codes")).toHaveLength(4);
});
