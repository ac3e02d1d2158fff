/** Formats tables as text. Columns are as wide as their widest cell, so tables look the same in terminals and files. */

type Rows = readonly (readonly string[])[];

/** A table in Markdown. The columns from `firstNumber` on (counted from 0) are aligned to the right. */
export function markdownTable(header: readonly string[], firstNumber: number, rows: Rows): string[] {
  const widths = widthsOf([header, ...rows]).map((width) => Math.max(width, 4));
  const line = (cells: readonly string[]) => {
    const padded = cells.map((cell, column) => pad(cell, widths[column] ?? 0, column >= firstNumber));
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width, column) => (column < firstNumber ? "-".repeat(width) : `${"-".repeat(width - 1)}:`));
  return [line(header), line(rule), ...rows.map(line)];
}

/** A table without lines. The columns from `firstNumber` on (default: none) are aligned to the right. */
export function columns(rows: Rows, firstNumber = Number.POSITIVE_INFINITY): string[] {
  const widths = widthsOf(rows);
  return rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column >= firstNumber))
      .join("  ")
      .trimEnd(),
  );
}

function widthsOf(rows: Rows): number[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  return widths;
}

function pad(cell: string, width: number, isNumber: boolean): string {
  return isNumber ? cell.padStart(width) : cell.padEnd(width);
}
