/** Writes the results of commands to standard output. */

/** Writes to standard error if standard output fails (a full disk): the number of an order must reach the user. */
export function print(text: string): void {
  process.stdout.write(text, (error) => {
    if (error && !isClosedPipe(error)) process.stderr.write(text);
  });
}

/** Has the reader ended, as in `bazaar order | head -1`? That isn't a failure. */
export function isClosedPipe(error: Error): boolean {
  return "code" in error && error.code === "EPIPE";
}

/** Writes the result of a long command. `json` is a file for JSON beside the report, or true for JSON instead of it. */
export async function printResult(result: object, report: string, json: string | true | undefined): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(json === true ? text : report);
  if (typeof json === "string") await Bun.write(json, text);
}
