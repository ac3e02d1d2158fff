/** Formats figures for people, the same way in every report. */

/** A whole number with commas between thousands. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A share as a percentage: 0.25 is 25%. Empty if the share is `undefined`. */
export function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}

export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
