import { Command } from "commander";
import { describe, expect, test, vi } from "vitest";
import { bazaar } from "../../test/support/command-line.ts";
import { createProgram } from "./program.ts";

// Some tests start processes, perhaps on a busy machine.
vi.setConfig({ testTimeout: 30_000 });

const commands = createProgram().createHelp().visibleCommands(createProgram());
const names = commands.map((command) => command.name()).filter((name) => name !== "help");

/** Returns the lines below a heading of a help text, until the next blank line. */
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

/** Returns the words after `bazaar` in an example, without shell syntax. */
function words(example: string): string[] {
  const [line = ""] = example.trim().split(/ {2,}/);
  const [, rest = ""] = /(?:^|[ (])bazaar ([^)>]*)/.exec(line) ?? [];
  return rest.trim().split(" ");
}

/** Parses with commands that do nothing. Rejects with a wrong usage. */
function parse(args: readonly string[]): Promise<Command> {
  const program = createProgram();
  for (const command of program.commands) {
    // The work of the examples is tested elsewhere; here they only have to parse.
    command.action(() => {});
    command.configureOutput({ writeErr: () => {}, writeOut: () => {} });
  }
  return program.parseAsync(args, { from: "user" });
}

test("the commands are listed in the order of the help", () => {
  expect(names).toEqual([
    "up",
    "rolling-restart",
    "status",
    "certs",
    "token",
    "lookup",
    "trade",
    "order",
    "migrate",
    "seed",
    "import",
    "export",
    "verify",
    "rebuild-catalog",
    "backup",
    "restore",
    "ledger",
    "client",
    "evaluate",
    "bench",
    "chaos",
    "completion",
  ]);
});

describe.each(names)("the help of %s", (name) => {
  const help = helpOf(name);

  test("explains the exit codes", () => {
    const codes = section(help, "Exit codes").map((line) => line.trim()[0]);
    expect(codes).toEqual(expect.arrayContaining(["0", "2"]));
  });

  test("shows examples that parse", async () => {
    const examples = section(help, "Examples");
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) {
      const args = words(example);
      expect(args[0], example).toBe(name);
      await expect(parse(args), example).resolves.toBeInstanceOf(Command);
    }
  });
});

test("an example with an unknown option would be noticed", async () => {
  await expect(parse(["client", "--fast"])).rejects.toThrow("unknown option");
});

describe("up --also", () => {
  const mustOfAlso =
    "must be dialect=port, or several separated by commas, with one of bazaar, pyro, streaming, toy-store, pyro-redis " +
    "and a port from 1 to 65535";

  test("takes a front-end for each dialect=port", async () => {
    const program = await parse(["up", "--also", "streaming=26111, toy-store=1110"]);
    expect(program.commands.find((command) => command.name() === "up")?.opts()).toMatchObject({
      also: [
        { dialect: "streaming", port: 26_111 },
        { dialect: "toy-store", port: 1110 },
      ],
    });
  });

  test.each([
    "",
    "streaming",
    "=1110",
    "toystore=1110",
    "streaming=0",
    "streaming=-1",
    "streaming=1e3",
    "streaming=65536",
    "streaming=1110=1111",
    "streaming=1110,",
    "streaming=1110;toy-store=1111",
  ])("must be dialect=port, not %j", async (value) => {
    await expect(parse(["up", "--also", value])).rejects.toThrow(`argument '${value}' is invalid. ${mustOfAlso}`);
  });

  test("ends with 2 and one line: what it must be, and what it was", async () => {
    expect(await bazaar(["up", "--also", "streaming=0"])).toEqual({
      exitCode: 2,
      stdout: "",
      stderr: `--also ${mustOfAlso} (got "streaming=0")\n`,
    });
  });
});

test("up --dialect must be one of the dialects: anything else ends with 2 and names them", async () => {
  expect(await bazaar(["up", "--dialect", "toystore"])).toEqual({
    exitCode: 2,
    stdout: "",
    stderr: '--dialect must be one of bazaar, pyro, streaming, toy-store, pyro-redis (got "toystore")\n',
  });
});

test("status --every implies --watch", async () => {
  const program = await parse(["status", "--every", "5"]);
  expect(program.commands.find((command) => command.name() === "status")?.opts()).toMatchObject({ watch: true });
});

test("help and completion load no database, no gRPC and no plotting library", async () => {
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

test("the program's help lists all exit codes, but not the hidden command", async () => {
  const { stdout, exitCode } = await bazaar(["--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).not.toMatch(/^ {2}complete\b/m);
  expect(section(stdout, "Exit codes")).toHaveLength(4);
});
