// Where a series is going and what repeats in it: two sentences, and bars by hour and by day of the week.
import { el, svg } from "../dom.js";
import { current, number, t } from "../text.js";

const WIDTH = 720;
const HEIGHT = 110;
const BOTTOM = 18;
const TOP = 6;
// A direction that chance gives less often than this is told as one.
const CLEAR = 0.05;
const FEWEST_DAYS = 4;
const MONDAY = Date.UTC(2026, 0, 5);
const DAY_MS = 86_400_000;

const signed = (value, options) => new Intl.NumberFormat(current(), { signDisplay: "always", ...options }).format(value);
const part = (share) => new Intl.NumberFormat(current(), { style: "percent", maximumFractionDigits: 0 }).format(share);
const dayName = (day) => new Intl.DateTimeFormat(current(), { weekday: "short", timeZone: "UTC" }).format(MONDAY + day * DAY_MS);

/** Says a direction in words; `slope` is its change a day as people read it. */
function direction(name, trend, slope) {
  const { slopePerDay = 0, pValue = 1, dayCount = 0 } = trend ?? {};
  const few = dayCount < FEWEST_DAYS;
  const clear = !few && pValue < CLEAR;
  const words = few ? t("trendFew")(number(FEWEST_DAYS), number(dayCount)) : clear ? (slopePerDay > 0 ? t("trendRises") : t("trendFalls"))(slope(slopePerDay)) : t("trendUnclear");
  const sure = few ? "" : ` ${t("trendChance")(pValue < 0.001 ? `< ${number(0.001)}` : number(Number(pValue.toPrecision(2))))}`;
  return el("p", { class: `direction ${clear ? (slopePerDay > 0 ? "rises" : "falls") : "unclear"}` }, el("b", {}, `${name}: `), words, el("small", {}, sure));
}

/** Bars of multiples of the mean, with the mean as a line. */
function season(title, multiples, strength, label) {
  const most = Math.max(...multiples, 1);
  const wide = WIDTH / multiples.length;
  const y = (value) => TOP + (1 - value / most) * (HEIGHT - TOP - BOTTOM);
  const top = multiples.indexOf(Math.max(...multiples));
  const words = `${title}. ${t("trendMost")(label(top), number(Number(multiples[top].toFixed(1))))}`;
  const drawing = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  for (const [place, value] of multiples.entries()) {
    drawing.append(svg("rect", { class: "usual", x: place * wide + 1, width: Math.max(wide - 2, 1), y: y(value), height: y(0) - y(value) },
      svg("title", {}, `${label(place)}: × ${number(Number(value.toFixed(2)))}`)));
    if (multiples.length <= 7 || place % 3 === 0) drawing.append(svg("text", { class: "tick", x: (place + 0.5) * wide, y: HEIGHT - 4, "text-anchor": "middle" }, label(place)));
  }
  drawing.append(svg("line", { class: "mean", x1: 0, x2: WIDTH, y1: y(1), y2: y(1) }));
  return el("div", { class: "season" }, el("h3", {}, title),
    el("p", { class: "hint" }, `${t("trendMost")(label(top), number(Number(multiples[top].toFixed(1))))} ${t("trendStrength")(part(strength))}`), drawing);
}

/** The panel of a `GetTrendResponse`. */
export function trendPanel(trend) {
  const { hourOfDay = [], dayOfWeek = [], hourOfDayStrength = 0, dayOfWeekStrength = 0 } = trend;
  const points = (value) => t("trendPoints")(signed(value * 100, { maximumFractionDigits: 1 }));
  const texts = (value) => t("trendTexts")(signed(value, { maximumFractionDigits: 1 }));
  return el("figure", { class: "trend" },
    el("figcaption", {}, el("h2", {}, t("trendTitle")), el("p", { class: "hint" }, t("trendMore"))),
    direction(t("monitorCounts"), trend.volume, texts),
    direction(t("monitorShare"), trend.negativeShare, points),
    hourOfDay.length ? season(t("trendHours"), hourOfDay, hourOfDayStrength, (hour) => String(hour).padStart(2, "0")) : el("p", { class: "hint no-hours" }, t("trendNoHours")),
    dayOfWeek.length ? season(t("trendDays"), dayOfWeek, dayOfWeekStrength, dayName) : el("p", { class: "hint no-days" }, t("trendNoDays")));
}
