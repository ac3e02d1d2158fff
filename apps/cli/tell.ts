/** The result of a long command: for people, for programs, or for both. */

/** `json`: a file that gets it as JSON beside the report, or true for JSON in place of the report. */
export async function tell(result: object, report: string, json: string | true | undefined): Promise<void> {
  const text = `${JSON.stringify(result, undefined, 2)}\n`;
  process.stdout.write(json === true ? text : report);
  if (typeof json === "string") await Bun.write(json, text);
}
