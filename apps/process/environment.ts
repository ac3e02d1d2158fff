/** Reads single environment variables, and defines the error for a wrong one. */

import { SetupError } from "@stock-bazaar/shared/errors";

export type Environment = Readonly<Record<string, string | undefined>>;

/** A wrong variable, which only a person can correct: a service that throws it ends with `exitSetup`. */
export class ConfigError extends SetupError {
  /** `must` completes the sentence, like "must be a folder". `hint` adds the cause and the remedy. */
  constructor(variable: string, value: string | undefined, must: string, hint?: string) {
    const was = value === undefined ? "not set" : `got ${JSON.stringify(value)}`;
    super(`${variable} ${must} (${was})${hint === undefined ? "" : `: ${hint}`}`);
    this.name = "ConfigError";
  }
}

/** The trimmed value; `undefined` if it is not set or empty. */
export function readText(environment: Environment, variable: string): string | undefined {
  return environment[variable]?.trim() || undefined;
}

export interface Range {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  /** The reason for the bounds; follows the numbers in the error. */
  readonly why?: string;
}

export function readWholeNumber(environment: Environment, variable: string, range: Range): number {
  const { fallback, min, max, why = "" } = range;
  const text = readText(environment, variable);
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max)
    throw new ConfigError(variable, text, `must be a whole number from ${min} to ${max}${why}`);
  return value;
}
