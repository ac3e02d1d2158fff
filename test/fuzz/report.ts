/** A fault in words, with the command that sends the same inputs again, and the smallest input that showed it. */

import type { Fault } from "./campaign.ts";

export function describeFault({ text, inputs, smallest }: Fault, seed: number): string {
  const [first] = inputs;
  if (first === undefined) return text;
  const shown = inputs.length === 1 ? `\n  ${JSON.stringify(smallest ?? first.input)}` : "";
  if (first.number === 0) return text + shown;
  return `${text}\n  replay: npm run fuzz -- --seed ${seed} --first ${first.number} --inputs ${inputs.length}${shown}`;
}
