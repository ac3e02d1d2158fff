/**
 * The dashboard and the alerts in `deploy/` query only what `/metrics` exports. A name, a label or a label's value that
 * is changed on one side only would leave a panel empty, or an alert that never fires.
 */

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { BazaarError } from "@stock-bazaar/shared/errors";
import { beforeAll, describe, expect, test } from "vitest";
import { createTestClient } from "./support/client.ts";
import { readQuery, readScrape, type Series } from "./support/promql.ts";

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly description: string };
}
interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}
interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly name: string; readonly expr: string }[] };
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

const read = (path: string) => readFileSync(resolve(import.meta.dirname, "../../deploy", path), "utf8");
const { groups } = Bun.YAML.parse(read("prometheus/alerts.yml")) as { groups: { rules: Alert[] }[] };
const alerts = groups.flatMap(({ rules }) => rules);
const dashboard = JSON.parse(read("grafana/stock-bazaar.json")) as Dashboard;
const scraping = Bun.YAML.parse(read("prometheus/prometheus.yml")) as {
  rule_files: string[];
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[];
};

/** Every query and its place. `labels` are those that the text beside it shows. */
const queries: [where: string, expr: string, labels: string[]][] = [
  ...alerts.map(({ alert, expr, annotations }): [string, string, string[]] => [
    `alert ${alert}`,
    expr,
    [...JSON.stringify(annotations).matchAll(/\$labels\.(\w+)/g)].map(([, label = ""]) => label),
  ]),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }): [string, string, string[]] => [
      `panel ${title}`,
      expr,
      [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = ""]) => label),
    ]),
  ),
  ...dashboard.annotations.list.map(({ name, expr }): [string, string, string[]] => [`annotation ${name}`, expr, []]),
];

/** Prometheus adds these to every series when it scrapes. */
const [scrapeConfig] = scraping.scrape_configs;
const target = { job: scrapeConfig?.job_name ?? "", instance: scrapeConfig?.static_configs[0]?.targets[0] ?? "" };

let series: Series[];
beforeAll(async () => {
  const client = await createTestClient();
  const trade = { name: "GameStart", quantity: 1, type: "buy" };
  await client.get("/stocks/GameStart");
  await client.post("/orders", trade);
  const fail = () => Promise.reject(new BazaarError("UNAVAILABLE", "no answer"));
  const { text } = await client.get("/metrics");
  const failing = client.beside({ changes: { trade: fail } });
  await failing.post("/orders", trade);
  const failed = await failing.get("/metrics");
  series = [...readScrape(text), ...readScrape(failed.text), { metric: "up", labels: {} }].map(
    ({ metric, labels }) => ({
      metric,
      labels: { ...labels, ...target },
    }),
  );
  await client.close();
});

/** Replaces the variables as Grafana would. */
function withoutVariables(expr: string): string {
  return expr.replace(/\$__(rate_)?interval/g, "1m").replaceAll("$instance", ".*");
}

describe.each(queries)("%s", (_, expr, shownLabels) => {
  const { selectors, groupedBy } = readQuery(withoutVariables(expr));

  test("queries metrics, labels and values that exist", () => {
    expect(selectors.length).toBeGreaterThan(0);
    for (const { metric, matchers } of selectors) {
      const ofMetric = series.filter((one) => one.metric === metric);
      expect(ofMetric.length, `no metric ${metric}`).toBeGreaterThan(0);
      for (const { label, text } of matchers) expect(Object.keys(ofMetric[0]?.labels ?? {}), text).toContain(label);
      const found = ofMetric.filter(({ labels }) => matchers.every(({ label, passes }) => passes(labels[label] ?? "")));
      expect(found.length, `no series of ${metric} has ${matchers.map(({ text }) => text).join(", ")}`).toBeGreaterThan(
        0,
      );
    }
  });

  test("groups by labels that exist, and shows only those that remain", () => {
    const labelsOf = (metric: string) => Object.keys(series.find((one) => one.metric === metric)?.labels ?? {});
    const known = new Set(selectors.flatMap(({ metric }) => labelsOf(metric)));
    for (const label of groupedBy) expect(known, `grouped by ${label}`).toContain(label);
    const isAggregated = /\b(sum|min|max|count|avg)\b/.test(expr);
    for (const label of shownLabels) expect(isAggregated ? groupedBy : [...known], `shown ${label}`).toContain(label);
  });
});

test("counters are read as rates, and nothing else is", () => {
  const isCounter = (metric: string) => /_(total|bucket|count|sum)$/.test(metric);
  for (const [where, expr] of queries) {
    for (const { metric, rated } of readQuery(withoutVariables(expr)).selectors) {
      expect(rated, `${where}: ${metric}`).toBe(isCounter(metric));
    }
  }
});

test("every alert has a severity, a summary and a description", () => {
  expect(new Set(alerts.map(({ alert }) => alert)).size).toBe(alerts.length);
  for (const { alert, labels, annotations } of alerts) {
    expect(["critical", "warning"], alert).toContain(labels.severity);
    expect(annotations.summary.length, alert).toBeGreaterThan(10);
    expect(annotations.description.length, alert).toBeGreaterThan(20);
  }
});

test("every gauge and counter of the cluster is in a panel or an alert", () => {
  const asked = new Set(
    queries.flatMap(([, expr]) => readQuery(withoutVariables(expr)).selectors.map(({ metric }) => metric)),
  );
  const own = series
    .map(({ metric }) => metric)
    .filter((metric) => metric.startsWith("bazaar_") && !metric.endsWith("_sum"));
  expect([...new Set(own)].filter((metric) => !asked.has(metric))).toEqual([]);
});

test("Prometheus loads the alerts and scrapes the default address of a front-end", () => {
  expect(scraping.rule_files).toEqual(["alerts.yml"]);
  expect(target).toEqual({ job: "stock-bazaar", instance: "127.0.0.1:8080" });
  for (const { query } of dashboard.templating.list) {
    const asked = /^label_values\((\w+), (\w+)\)$/.exec(typeof query === "string" ? "" : query.query);
    if (!asked) continue;
    expect(series.find(({ metric }) => metric === asked[1])?.labels).toHaveProperty(asked[2] ?? "");
  }
});
