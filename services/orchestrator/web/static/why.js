// The panels that say why: of the page, and of one result.
import { bar, el, $ } from "./dom.js";
import { t } from "./text.js";
const ms = (nanos) => Number(nanos ?? 0) / 1e6;
const label = (name) => (name ?? "").replace(/^[A-Z]+_TYPE_/, "").toLowerCase();

function highlighted(query) {
  const points = [...query.query], parts = [];
  let at = 0;
  for (const e of query.entities ?? []) {
    const start = e.start ?? 0;
    if (start < at) continue;
    const kind = label(e.type?.replace("ENTITY_", ""));
    const name = (e.type ?? "").replace("ENTITY_TYPE_", "").toLowerCase() || kind;
    parts.push(points.slice(at, start).join(""), el("mark", { class: `${name}${e.negated ? " negated" : ""}`, title: e.normalized }, points.slice(start, e.end).join(""), el("small", {}, name.replaceAll("_", " "))));
    at = e.end;
  }
  return [...parts, points.slice(at).join("")];
}
function timings(list) {
  const total = Math.max(...list.map((s) => ms(s.startOffsetNanos) + ms(s.durationNanos)), 0.001);
  return el("div", { class: "bars" }, list.map((s) => [
    el("span", {}, s.stage),
    bar([["fill", (ms(s.startOffsetNanos) / total) * 100, (ms(s.durationNanos) / total) * 100], ...(s.inferenceNanos ? [["inner", (ms(s.startOffsetNanos) / total) * 100, (ms(s.inferenceNanos) / total) * 100]] : [])]),
    el("span", { class: "v" }, `${ms(s.durationNanos).toFixed(1)} ms`)]));
}
function condition(c) {
  const values = c.range ? `${c.range.min ?? ""}–${c.range.max ?? ""} ${c.range.unit ?? ""}` : (c.anyOf ?? c.noneOf)?.values?.join(", ");
  return el("span", { class: `chip${c.hard ? " hard" : ""}` }, `${c.field}${c.noneOf ? " ≠" : ""} ${values ?? ""}`);
}
export function aboutPage(answer, search) {
  const q = answer.query;
  const parsed = q && el("div", {}, el("h3", {}, t("understood")),
    el("p", {}, `${t("language")}: ${q.languageCode ?? "?"}`, q.intent ? ` · ${t("intent")}: ${q.intent.type?.replace("INTENT_TYPE_", "").toLowerCase().replaceAll("_", " ")} (${Math.round((q.intent.confidence ?? 0) * 100)}%)` : ""),
    (q.constraints ?? []).length > 0 && [el("h3", {}, t("conditions")), el("div", { class: "chips" }, q.constraints.map(condition))],
    (q.corrections ?? []).map((c) => el("p", {}, `${c.applied ? t("corrected") : t("didYouMean")}: `, el("button", { class: "chip", type: "button", onclick: () => search([...q.query].slice(0, c.start ?? 0).join("") + c.corrected + [...q.query].slice(c.end).join("")) }, c.corrected))));
  return el("details", {},
    el("summary", {}, q ? el("span", { class: "parsed" }, highlighted(q)) : el("span", { class: "parsed" }, t("details"))),
    el("div", { class: "detail" }, parsed, el("div", {}, el("h3", {}, t("timings")), timings(answer.timings ?? []))));
}
export function notices(answer) {
  const parts = [];
  if (answer.degraded?.length) parts.push(el("div", { class: "degraded" }, `${t("degraded")} ${answer.degraded.map((d) => t("stages")[d.stage] ?? `${d.stage}: ${d.fallback}`).join("; ")}`));
  if (answer.relaxedConstraints?.length) parts.push(el("div", { class: "relaxed" }, `${t("relaxed")} `, answer.relaxedConstraints.map((c) => el("span", { class: "chip off" }, c))));
  return parts;
}
export function openWhy(result, title) {
  const list = result.contributions ?? [];
  const most = Math.max(...list.map((c) => Math.abs(c.contribution ?? 0)), 0.001);
  const dialog = $("why");
  dialog.replaceChildren(
    el("header", {}, el("div", {}, el("h2", { id: "why-title" }, t("whyTitle")), title), el("button", { class: "quiet", type: "button", onclick: () => dialog.close() }, t("close"))),
    result.reason?.text ? el("p", { class: "reason" }, result.reason.text) : "",
    el("h3", {}, t("legs")),
    el("div", { class: "bars" }, (result.legs ?? []).map((l) => [el("span", {}, t("rankIn")(l.leg, l.rank)), bar([["fill", 0, 100 / Math.sqrt(l.rank)]]), el("span", { class: "v" }, (l.score ?? 0).toFixed(3))])),
    el("h3", {}, t("contributions")),
    list.length ? el("div", { class: "bars" }, list.slice(0, 12).map((c) => { const v = c.contribution ?? 0, w = (Math.abs(v) / most) * 50; return [el("span", {}, c.label || c.feature), bar([[v < 0 ? "minus" : "fill", v < 0 ? 50 - w : 50, w]]), el("span", { class: "v" }, `${v < 0 ? "−" : "+"}${Math.abs(v).toFixed(3)}`)]; })) : el("p", {}, t("noContrib")));
  dialog.showModal();
}
