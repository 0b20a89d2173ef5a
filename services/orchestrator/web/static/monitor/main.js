// The dashboard: counts over event time with their forecast, and alerts as they are told.
import { ask } from "../api.js";
import { $, bar, el } from "../dom.js";
import { failure } from "../failure.js";
import { frameWords } from "../frame.js";
import { current, number, switchLanguage, t } from "../text.js";
import { alertCard, noticeLine } from "./alerts.js";
import { follow } from "./live.js";
import { percent, plots, pointOf } from "./plot.js";
import { playSample } from "./sample.js";
import { trendPanel } from "./trend.js";

const SPANS = {
  hours: { step: 600, seconds: 6 * 3_600 },
  day: { step: 3_600, seconds: 24 * 3_600 },
  week: { step: 6 * 3_600, seconds: 7 * 24 * 3_600 },
};
const DIMENSIONS = ["ALL", "TOPIC", "PRODUCT", "BRAND"];
const MOST_NOTICES = 8;
const REFRESH_MS = 10_000;
const state = { dimension: "ALL", value: "", span: "hours", topics: new Map(), newest: 0, subscribed: [], run: 0, live: "connecting", liveSince: 0 };
let unfollow = () => {};
let waiting = 0;

const dimensionOf = (series) => (series?.dimension ?? "DIMENSION_ALL").replace("DIMENSION_", "");
const seriesOf = (dimension, value) => ({ dimension: `DIMENSION_${dimension}`, ...(value ? { value } : {}) });
const chosen = () => (state.dimension !== "ALL" && state.value ? seriesOf(state.dimension, state.value) : seriesOf("ALL"));
const same = (one, other) => one.dimension === other.dimension && one.value === other.value;

/** Says a series in the page's language. */
function name(series) {
  const dimension = dimensionOf(series);
  if (dimension === "ALL") return t("monitorDimensions").ALL;
  const value = dimension === "TOPIC" ? state.topics.get(series.value)?.[current()] ?? series.value : series.value;
  return `${value} (${t("monitorDimensions")[dimension]})`;
}

/** Counts of a dimension over the span; with a forecast where it is one series. */
function countsOf(series, forecast) {
  const { step, seconds } = SPANS[state.span];
  // The windows themselves are kept for some hours: asking for what is kept needs no begin.
  const begin = state.span === "week" && state.newest ? { startTime: new Date(state.newest - seconds * 1_000).toISOString() } : {};
  return ask("insight/aggregates", {
    dimension: series.dimension,
    values: series.value ? [series.value] : [],
    stepSeconds: step,
    withForecast: forecast,
    ...begin,
  });
}

function inSpan(answer) {
  const points = (answer.series?.[0]?.points ?? []).map(pointOf);
  const end = points.at(-1)?.at ?? 0;
  return points.filter((point) => point.at > end - SPANS[state.span].seconds * 1_000);
}

function countOf(series) {
  const { positiveCount = 0, neutralCount = 0, negativeCount = 0 } = series.total ?? {};
  return { texts: Number(positiveCount) + Number(neutralCount) + Number(negativeCount), negative: Number(negativeCount) };
}

function showSeries(list) {
  const most = Math.max(...list.map((each) => countOf(each).texts), 1);
  $("series").replaceChildren(el("table", { class: "bars" }, el("tbody", {}, list.map((each) => {
    const { texts, negative } = countOf(each);
    const pick = () => choose({ dimension: dimensionOf(each.series), value: each.series.value ?? "" });
    return el("tr", {},
      el("th", { scope: "row" }, el("button", { type: "button", class: "link", onclick: pick }, name(each.series))),
      el("td", {}, bar([["fill", 0, (texts / most) * 100], ["minus", 0, (negative / most) * 100]])),
      el("td", { class: "value" }, t("monitorRow")(number(texts), percent(negative / texts))));
  }))));
}

function showValues(list) {
  const values = list.map((each) => each.series.value ?? "");
  if (state.value && !values.includes(state.value)) values.unshift(state.value);
  const words = values.map((value) => (state.dimension === "TOPIC" ? state.topics.get(value)?.[current()] ?? value : value));
  const options = [["", t("monitorDimensions").ALL], ...values.map((value, n) => [value, words[n]])];
  const shown = [...$("value").options].map((option) => [option.value, option.text]);
  // A list that somebody has open stays as it is while nothing in it changes.
  if (JSON.stringify(shown) !== JSON.stringify(options)) $("value").replaceChildren(...options.map(([value, word]) => el("option", { value }, word)));
  $("value").value = state.value;
  $("value").disabled = state.dimension === "ALL";
}

function showSubscriptions() {
  const list = state.subscribed;
  $("subscribed").replaceChildren(...(list.length ? list.map((series) => el("li", { class: "chip" }, name(series),
    el("button", { type: "button", class: "link", "aria-label": t("monitorUnsubscribe")(name(series)), onclick: () => subscribe(list.filter((each) => !same(each, series))) }, "×"))) : [el("li", { class: "chip" }, t("monitorAllAlerts"))]));
  const series = chosen();
  $("subscribe").hidden = dimensionOf(series) === "ALL" || list.some((each) => same(each, series));
  $("subscribe").textContent = t("monitorSubscribe")(name(series));
  const words = { connecting: t("monitorConnecting"), broken: t("monitorBroken"), refused: "", live: t("monitorLive")(new Date(state.liveSince).toLocaleTimeString(current())) };
  $("live").textContent = words[state.live];
  $("live").dataset.state = state.live;
}

function subscribe(list) {
  state.subscribed = list;
  unfollow();
  unfollow = follow(list, {
    state: (now) => {
      if (now === "live") state.liveSince = Date.now();
      state.live = now;
      showSubscriptions();
    },
    notice: (notice) => {
      $("notices").prepend(noticeLine(notice, name));
      while ($("notices").children.length > MOST_NOTICES) $("notices").lastElementChild.remove();
      load();
    },
  });
  showSubscriptions();
}

function showAlerts(alerts) {
  const opened = new Set([...$("alerts").querySelectorAll("details[open]")].map((each) => each.closest("article").dataset.alert));
  const cards = alerts.map((alert) => alertCard(alert, name));
  for (const card of cards) if (opened.has(card.dataset.alert)) card.querySelector("details")?.setAttribute("open", "");
  $("alerts").replaceChildren(el("h2", {}, t("monitorAlerts")), ...(cards.length ? cards : [el("p", { class: "hint" }, t("monitorNoAlerts"))]));
}

const stretch = (alert) => [Date.parse(alert.onsetTime), alert.closeTime ? Date.parse(alert.closeTime) : Infinity];

async function load() {
  clearTimeout(waiting);
  const run = ++state.run;
  try {
    if (!state.topics.size) {
      const domain = await ask("insight/domain", {});
      state.topics = new Map((domain.topics ?? []).map((topic) => [topic.id, topic.names ?? {}]));
    }
    const series = chosen();
    const filter = dimensionOf(series) === "ALL" ? {} : { series };
    const listed = seriesOf(state.dimension === "ALL" ? "TOPIC" : state.dimension);
    const [counts, all, { alerts = [] }, trend] = await Promise.all([countsOf(series, true), countsOf(listed, false), ask("insight/alerts", { pageSize: 10, ...filter }), ask("insight/trend", { series })]);
    if (run !== state.run) return; // something newer was asked for meanwhile
    state.newest = Date.parse(counts.watermark ?? all.watermark ?? 0) || 0;
    $("notice").replaceChildren();
    $("empty").hidden = Boolean(counts.watermark);
    $("board").hidden = !counts.watermark;
    const step = SPANS[state.span].step * 1_000;
    $("plots").replaceChildren(...plots(inSpan(counts), step, alerts.map(stretch)));
    $("trend").replaceChildren(trendPanel(trend));
    showSeries(all.series ?? []);
    showValues(state.dimension === "ALL" ? [] : all.series ?? []);
    showAlerts(alerts);
    showSubscriptions();
  } catch (error) {
    if (run !== state.run) return;
    $("notice").replaceChildren(failure(error, again, t("monitorErrors")));
    $("empty").hidden = true;
  } finally {
    if (run === state.run) waiting = setTimeout(refresh, REFRESH_MS);
  }
}

function again() {
  subscribe(state.subscribed);
  return load();
}

/** Loads again, unless nobody looks, or there is nothing to be had. */
function refresh() {
  if (document.hidden || state.live === "refused") waiting = setTimeout(refresh, REFRESH_MS);
  else load();
}

function choose(changes) {
  const { dimension } = state;
  Object.assign(state, changes);
  $("dimension").value = state.dimension;
  if (dimension !== state.dimension) { // values of the other one are none of this
    showValues([]);
    $("value").disabled = true;
  }
  return load();
}

function fill(select, words, value) {
  select.replaceChildren(...Object.entries(words).map(([key, word]) => el("option", { value: key }, word)));
  select.value = value;
}

function words() {
  frameWords();
  document.title = `${t("monitorTitle")} · Wherefore`;
  fill($("dimension"), Object.fromEntries(DIMENSIONS.map((each) => [each, t("monitorDimensions")[each]])), state.dimension);
  fill($("span"), t("monitorSpans"), state.span);
}

$("dimension").addEventListener("change", () => choose({ dimension: $("dimension").value, value: "" }));
$("value").addEventListener("change", () => choose({ value: $("value").value }));
$("span").addEventListener("change", () => choose({ span: $("span").value }));
$("subscribe").addEventListener("click", () => subscribe([...state.subscribed, chosen()]));
$("language").addEventListener("click", () => {
  switchLanguage();
  words();
  $("notices").replaceChildren(); // they were told in the other language
  load();
});
$("play").addEventListener("click", async () => {
  $("play").disabled = true;
  try {
    await playSample((done, all) => {
      $("played").textContent = t("monitorPlaying")(number(done), number(all));
    });
    await load();
    $("alerts").focus();
  } catch (error) {
    $("notice").replaceChildren(failure(error, again, t("monitorErrors")));
  } finally {
    $("play").disabled = false;
  }
});
words();
subscribe([]);
load();
