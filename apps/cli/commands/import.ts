/** `npm run import`: imports the stocks and orders of an earlier system into the catalog. */

import { importFiles, type Imported, type ImportedStock } from "@stock-bazaar/db/import/import-catalog";
import { ownFiles } from "@stock-bazaar/db/own-files";
import { columns } from "@stock-bazaar/report/table";
import { readConfig } from "@stock-bazaar/process/config";
import { CommandError, exitCodes } from "../errors.ts";
import { print } from "../output.ts";
import { requireNoCatalog } from "../up/ports.ts";
import { requireOtherFile, requireRegularFile, requireWritable } from "../writable.ts";

export interface ImportOptions {
  readonly stocks: string;
  readonly orders?: readonly string[];
  readonly renumber?: boolean;
  readonly numbers?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** More stocks than this are counted, not listed. */
const stocksShownMax = 20;

export async function importIntoCatalog(options: ImportOptions): Promise<void> {
  const { stocks, orders = [], renumber = false, numbers, dryRun = false, json = false } = options;
  if (numbers !== undefined) {
    if (!renumber)
      throw new CommandError(
        "--numbers must be used with --renumber: without it, each order keeps its number",
        exitCodes.usage,
      );
    requireWritable("--numbers", numbers, "file");
    requireRegularFile("--numbers", numbers);
  }
  const config = readConfig(process.env);
  if (numbers !== undefined) requireOtherFile("--numbers", numbers, [stocks, ...orders, ...ownFiles(config)]);
  await requireNoCatalog(config, "stop it first, with all other services");
  const imported = await importFiles(config, {
    stocksFile: stocks,
    orderFiles: orders,
    renumber,
    numbersFile: numbers,
    dryRun,
    createdAt: new Date().toISOString(),
  });
  print(json ? `${JSON.stringify(imported, undefined, 2)}\n` : describe(imported));
}

function describe({ file, stocks, orders, equalLines, otherStocks, numbersFile, dryRun }: Imported): string {
  const numbers = orders === 0 ? "" : `, numbers 1 to ${orders}`;
  const lines = [
    `${file}: ${dryRun ? "would import" : "imported"} stocks: ${stocks.length}, orders: ${orders}${numbers}`,
    ...(equalLines === 0 ? [] : [`Lines that repeat another and were ignored: ${equalLines}`]),
    ...(otherStocks === 0 ? [] : [`Other stocks that the catalog keeps: ${otherStocks}`]),
    ...(numbersFile === undefined || dryRun ? [] : [`Old and new numbers: ${numbersFile}`]),
    ...columns([["name", "began with", "has now", "volume"], ...stocks.slice(0, stocksShownMax).map(figuresOf)], 1),
    ...(stocks.length > stocksShownMax ? [`and ${stocks.length - stocksShownMax} more (--json lists all)`] : []),
    ...otherVolumes(stocks),
    ...(dryRun ? ["Nothing was written."] : []),
  ];
  return `${lines.join("\n")}\n`;
}

function figuresOf({ name, initial, quantity, volume }: ImportedStock): string[] {
  return [name, String(initial), String(quantity), String(volume)];
}

function otherVolumes(stocks: readonly ImportedStock[]): string[] {
  const others = stocks.filter(({ otherVolume }) => otherVolume !== undefined);
  return [
    ...others
      .slice(0, stocksShownMax)
      .map(
        ({ name, volume, otherVolume }) =>
          `The volume of ${name} is ${volume}, the sum of its orders; the file has ${otherVolume}`,
      ),
    ...(others.length > stocksShownMax ? [`and the volumes of ${others.length - stocksShownMax} more stocks`] : []),
  ];
}
