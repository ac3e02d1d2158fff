/** Figures as people read them, the same in every report. */

/** Without decimals, with commas between thousands. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** Of a share: 0.25 is 25%. Empty for one that isn't known. */
export function percent(share: number | undefined): string {
  return share === undefined ? "" : `${(share * 100).toFixed(share < 0.1 ? 1 : 0)}%`;
}

export function counted(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? "" : "s"}`;
}

export function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
