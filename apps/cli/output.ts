/** What a command writes to standard output. */

/** What standard output can't take (a full disk) goes to standard error: the number of an order must reach the user. */
export function print(text: string): void {
  process.stdout.write(text, (error) => {
    if (error && !isClosedPipe(error)) process.stderr.write(text);
  });
}

/** As in `bazaar order | head -1`: a reader that has enough is no failure. */
export function isClosedPipe(error: Error): boolean {
  return "code" in error && error.code === "EPIPE";
}

/** The result of a long command. `json`: a file for it as JSON beside the report, or true for JSON in place of the report. */
export async function printResult(result: object, report: string, json: string | true | undefined): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(json === true ? text : report);
  if (typeof json === "string") await Bun.write(json, text);
}
