// Plots of one series over event time, drawn as SVG; each also says in words and a table what it shows.
import { el, svg } from "../dom.js";
import { current, number, t } from "../text.js";

const WIDTH = 720;
const HEIGHT = 200;
const LEFT = 44;
const BOTTOM = 24;
const TOP = 10;
const TICKS = 5;
const MOODS = ["positive", "neutral", "negative"];

export const percent = (share) => new Intl.NumberFormat(current(), { style: "percent", maximumFractionDigits: 0 }).format(share);

/** A time of the service as people write it: with its day where it is not of today. */
export function clock(time) {
  const date = new Date(time);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? {} : { month: "short", day: "numeric" };
  return date.toLocaleString(current(), { ...day, hour: "2-digit", minute: "2-digit" });
}

/** Makes numbers of a point of the contract. */
export function pointOf(point) {
  const counts = point.counts ?? {};
  const [positive, neutral, negative] = MOODS.map((mood) => Number(counts[`${mood}Count`] ?? 0));
  const texts = positive + neutral + negative;
  const { negativeShare = 0, low = 0, high = 0 } = point.forecast ?? {};
  const forecast = point.forecast ? { share: negativeShare, low, high } : null;
  return { at: Date.parse(point.startTime), positive, neutral, negative, texts, share: negative / texts, forecast };
}

function frame(points, step, most, label, words) {
  const first = points[0].at;
  const last = points.at(-1).at + step;
  const x = (at) => LEFT + ((at - first) / (last - first)) * (WIDTH - LEFT - 8);
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  for (const part of [0, 0.5, 1]) {
    const height = y(part * most);
    drawing.append(svg("line", { class: "grid-line", x1: LEFT, x2: WIDTH - 8, y1: height, y2: height }),
      svg("text", { class: "tick", x: LEFT - 6, y: height + 4, "text-anchor": "end" }, label(part * most)));
  }
  for (let tick = 0; tick < TICKS; tick += 1) {
    const at = first + ((last - first) * (tick + 0.5)) / TICKS;
    drawing.append(svg("text", { class: "tick", x: x(at), y: HEIGHT - 6, "text-anchor": "middle" }, clock(at)));
  }
  return { drawing, x, y };
}

/** Cuts points where some are missing between them. */
function runs(points, step) {
  const found = [];
  for (const point of points) {
    const run = found.at(-1);
    if (run && point.at - run.at(-1).at <= step * 1.5) run.push(point);
    else found.push([point]);
  }
  return found;
}

const path = (points) => `M${points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L")}`;

function bandOf(run, middle, y) {
  const upper = run.map((point) => [middle(point), y(point.forecast.high)]);
  const lower = run.map((point) => [middle(point), y(point.forecast.low)]).reverse();
  return svg("path", { class: "band", d: `${path([...upper, ...lower])}Z` });
}

/** The share of negatives with its forecast; `alerts` are [begin, end] of those that were open. */
function sharePlot(points, step, alerts) {
  const told = points.filter((point) => point.forecast);
  const above = told.filter((point) => point.share > point.forecast.high).length;
  const words = `${t("monitorShare")}. ${t("monitorAbove")(number(above), number(told.length))}`;
  const { drawing, x, y } = frame(points, step, 1, percent, words);
  const middle = (point) => x(point.at + step / 2);
  const end = points.at(-1).at + step;
  for (const [begin, over] of alerts) {
    const from = Math.max(begin, points[0].at);
    const until = Math.min(over, end);
    if (until > from) drawing.append(svg("rect", { class: "alerted", x: x(from), width: Math.max(x(until) - x(from), 2), y: TOP, height: HEIGHT - TOP - BOTTOM }));
  }
  for (const run of runs(told, step)) {
    drawing.append(bandOf(run, middle, y),
      svg("path", { class: "expected", d: path(run.map((point) => [middle(point), y(point.forecast.share)])) }));
  }
  for (const run of runs(points, step)) drawing.append(svg("path", { class: "share", d: path(run.map((point) => [middle(point), y(point.share)])) }));
  for (const point of points) {
    const outside = point.forecast && point.share > point.forecast.high;
    drawing.append(svg("circle", { class: outside ? "outside" : "point", cx: middle(point), cy: y(point.share), r: outside ? 4 : 2.5 },
      svg("title", {}, `${clock(point.at)}: ${percent(point.share)} (${t("monitorRow")(number(point.texts), number(point.negative))})`)));
  }
  return el("figure", {}, el("figcaption", {}, el("h2", {}, t("monitorShare")), el("p", { class: "hint" }, t("monitorShareMore")),
    el("p", { class: "hint above" }, t("monitorAbove")(number(above), number(told.length)))), drawing);
}

function countPlot(points, step) {
  const most = Math.max(...points.map((point) => point.texts));
  const { drawing, x, y } = frame(points, step, most, (value) => number(Math.round(value)), t("monitorCounts"));
  for (const point of points) {
    let below = 0;
    for (const mood of MOODS.toReversed()) {
      if (!point[mood]) continue;
      const top = below + point[mood];
      drawing.append(svg("rect", { class: mood, x: x(point.at) + 0.5, width: Math.max(x(point.at + step) - x(point.at) - 1, 1), y: y(top), height: y(below) - y(top) },
        svg("title", {}, `${clock(point.at)}: ${number(point[mood])} ${t("monitorMoods")[mood]}`)));
      below = top;
    }
  }
  const legend = MOODS.map((mood) => el("span", {}, el("span", { class: `key ${mood}` }), t("monitorMoods")[mood]));
  return el("figure", {}, el("figcaption", {}, el("h2", {}, t("monitorCounts")), el("p", { class: "legend" }, legend)), drawing);
}

function table(points) {
  const columns = t("monitorColumns");
  return el("details", {}, el("summary", {}, t("monitorTable")),
    el("table", { class: "figures-table" },
      el("thead", {}, el("tr", {}, Object.values(columns).map((name) => el("th", { scope: "col" }, name)))),
      el("tbody", {}, points.map((point) => el("tr", {},
        el("th", { scope: "row" }, clock(point.at)),
        el("td", {}, number(point.texts)), el("td", {}, number(point.negative)), el("td", {}, percent(point.share)),
        el("td", {}, point.forecast ? percent(point.forecast.share) : "–"),
        el("td", {}, point.forecast ? `${percent(point.forecast.low)}–${percent(point.forecast.high)}` : "–"))))));
}

/** Both plots of a series, `points` in order of time, each `step` milliseconds long. */
export function plots(points, step, alerts) {
  if (!points.length) return [el("p", { class: "hint" }, t("monitorNothing"))];
  return [sharePlot(points, step, alerts), countPlot(points, step), table(points)];
}
