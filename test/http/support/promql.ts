/** Reads what a PromQL query uses: its metrics, and the labels that it matches or groups by. */

import { parser } from "@prometheus-io/lezer-promql";

interface Selector {
  readonly metric: string;
  readonly matchers: readonly Matcher[];
  /** Whether it is the argument of a `rate(…)`. */
  readonly rated: boolean;
}

interface Matcher {
  readonly label: string;
  /** Whether a series with this value matches. */
  readonly passes: (value: string) => boolean;
  /** The matcher in the query's notation, for messages. */
  readonly text: string;
}

export interface Query {
  readonly selectors: readonly Selector[];
  /** The labels of `by (…)`, `on (…)` and the like. */
  readonly groupedBy: readonly string[];
}

type SyntaxNode = ReturnType<typeof parser.parse>["topNode"];

/** Throws if the text isn't PromQL. */
export function readQuery(promql: string): Query {
  const selectors: Selector[] = [];
  const groupedBy: string[] = [];
  const textOf = (node: SyntaxNode | null | undefined) => (node ? promql.slice(node.from, node.to) : "");
  parser.parse(promql).iterate({
    enter({ type, node }) {
      if (type.isError) throw new Error(`a query must be PromQL (got an error at character ${node.from}): ${promql}`);
      if (node.name === "GroupingLabels") groupedBy.push(...node.getChildren("LabelName").map(textOf));
      if (node.name !== "VectorSelector") return;
      const matchers = node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? [];
      selectors.push({
        metric: textOf(node.getChild("Identifier")),
        matchers: matchers.map((matcher) => readMatcher(matcher, textOf)),
        rated: textOf(functionAround(node)).startsWith("rate("),
      });
    },
  });
  return { selectors, groupedBy };
}

/** The innermost function call around a selector. */
function functionAround(node: SyntaxNode): SyntaxNode | null {
  let around = node.parent;
  while (around && around.name !== "FunctionCall" && around.name !== "AggregateExpr") around = around.parent;
  return around;
}

function readMatcher(node: SyntaxNode, textOf: (node: SyntaxNode | null) => string): Matcher {
  const value = String(JSON.parse(textOf(node.getChild("StringLiteral"))));
  const operator = textOf(node.getChild("MatchOp"));
  const pattern = new RegExp(`^(?:${value})$`);
  const passesBy: Record<string, (given: string) => boolean> = {
    "=": (given) => given === value,
    "!=": (given) => given !== value,
    "=~": (given) => pattern.test(given),
    "!~": (given) => !pattern.test(given),
  };
  const passes = passesBy[operator];
  if (!passes) throw new Error(`a matcher must have the operator =, !=, =~ or !~ (got ${textOf(node)})`);
  return { label: textOf(node.getChild("LabelName")), passes, text: textOf(node) };
}

export interface Series {
  readonly metric: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Returns the series in a scrape, without their values. */
export function readScrape(text: string): Series[] {
  return text
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, metric = "", labels = ""] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      return {
        metric,
        labels: Object.fromEntries(
          [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, name = "", value = ""]) => [name, value]),
        ),
      };
    });
}
