/** Formats numbers and times for people. */

const whole = new Intl.NumberFormat("en");
const money = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

export const nothing = "–";

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? nothing : whole.format(value);
}

/** A difference like `+5` or `−1,200`. */
export function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${whole.format(Math.abs(value))}`;
}

export function price(value: number): string {
  return money.format(value);
}

export function clockTime(at: number | string): string {
  return time.format(new Date(at));
}

/** A rate like `4.2`, `38` or `1,250`: one decimal below 10, none above. */
export function rate(value: number | null | undefined): string {
  if (value === null || value === undefined) return nothing;
  return value < 10 && !Number.isInteger(value) ? value.toFixed(1) : whole.format(Math.round(value));
}

export function milliseconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return nothing;
  if (value >= 1000) return `${(value / 1000).toFixed(1)} s`;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? nothing : `${Math.round(value * 100)} %`;
}

export function plural(amount: number, one: string, many = `${one}s`): string {
  return `${whole.format(amount)} ${amount === 1 ? one : many}`;
}
