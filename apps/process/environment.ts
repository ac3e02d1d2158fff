/** Single variables of the environment, and the error that names a wrong one. */

import { SetupError } from "@stock-bazaar/shared/errors";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Only a person can correct it: a service that throws it ends with `exitSetup`. */
export class ConfigError extends SetupError {
  /** `must` completes the sentence, like "must be a folder". `hint`: what is the matter with the value, and what to do. */
  constructor(variable: string, value: string | undefined, must: string, hint?: string) {
    const was = value === undefined ? "not set" : `got ${JSON.stringify(value)}`;
    super(`${variable} ${must} (${was})${hint === undefined ? "" : `: ${hint}`}`);
    this.name = "ConfigError";
  }
}

/** Without the spaces around it; `undefined` if it is not set. An empty value counts as not set. */
export function readText(environment: Environment, variable: string): string | undefined {
  return environment[variable]?.trim() || undefined;
}

export interface Range {
  readonly fallback: number;
  readonly min: number;
  readonly max: number;
  /** Follows the numbers in the error. */
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
