/** A small chart of the last five minutes, with its newest value as text. The colours come from the style sheet. */

import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";

interface Series {
  readonly label: string;
  /** Name of a CSS variable. */
  readonly colour: string;
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  readonly title: string;
  /** The newest value as text. */
  readonly value: string;
  readonly note: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** The lowest value for the top of the scale; `top` fixes it. */
  readonly topMin: number;
  readonly top?: number;
}

const heightPixels = 110;
const spanSeconds = 300;

export function Chart({ title, value, note, times, series, format, topMin, top }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const isDark = useDarkness();

  useEffect(() => {
    const element = place.current;
    if (!element) return undefined;
    const style = getComputedStyle(element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const axis = {
      stroke: colour("--quiet"),
      grid: { stroke: colour("--line"), width: 1 },
      ticks: { show: false },
      font: `11px ${style.fontFamily}`,
    };
    const made = new uPlot(
      {
        width: element.clientWidth || 300,
        height: heightPixels,
        cursor: { show: false },
        legend: { show: false },
        padding: [8, 8, 0, 0],
        scales: {
          x: { time: true, range: (_, __, newest) => [newest - spanSeconds, newest] },
          y: { range: (_, __, most) => [0, top ?? Math.max(topMin, (most || 0) * 1.15)] },
        },
        axes: [
          { ...axis, space: 90, size: 22, values: (_, splits) => splits.map(hourAndMinute) },
          { ...axis, size: 52, space: 36, values: (_, splits) => splits.map(format) },
        ],
        series: [
          {},
          ...series.map(({ label, colour: name }, index) => ({
            label,
            stroke: colour(name),
            width: 2,
            // A single value between two gaps would be a line of no length, so it is drawn as a point.
            points: { size: 4, width: 0, fill: colour(name), filter: isolated },
            spanGaps: false,
            ...(index === 0 ? { fill: colour(`${name}-soft`) } : {}),
          })),
        ],
      },
      [[], ...series.map(() => [])],
      element,
    );
    plot.current = made;
    const resized = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: heightPixels }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = undefined;
    };
    // Created again only when the colours change; the next effect sets the values.
  }, [isDark]);

  useEffect(() => {
    plot.current?.setData([[...times], ...series.map(({ values }) => [...values])]);
  }, [times, series, isDark]);

  return (
    <figure class="card chart">
      <figcaption>
        <h2>{title}</h2>
        <strong>{value}</strong>
        <span class="quiet">{note}</span>
      </figcaption>
      <div ref={place} role="img" aria-label={`${title} over the last five minutes, now ${value}`} />
    </figure>
  );
}

function isolated(plot: uPlot, seriesIndex: number): number[] {
  const values = plot.data[seriesIndex] ?? [];
  const isThere = (index: number) => values[index] !== null && values[index] !== undefined;
  return [...values.keys()].filter((index) => isThere(index) && !isThere(index - 1) && !isThere(index + 1));
}

function hourAndMinute(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}

function useDarkness(): boolean {
  const query = window.matchMedia("(prefers-color-scheme: dark)");
  const [isDark, change] = useState(query.matches);
  useEffect(() => {
    const changed = () => change(query.matches);
    query.addEventListener("change", changed);
    return () => query.removeEventListener("change", changed);
  }, []);
  return isDark;
}
