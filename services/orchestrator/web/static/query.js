// How the query was read: the words with what was recognised in them, conditions, corrections.
import { el } from "./dom.js";
import { number, t, term } from "./text.js";

const code = (value, prefix) => (value ?? "").replace(prefix, "").toLowerCase();

/** The query with its entities marked. Spans count code points. */
export function highlighted(query) {
  const points = [...(query.query ?? "")];
  const parts = [];
  let at = 0;
  for (const entity of query.entities ?? []) {
    const start = entity.start ?? 0;
    if (start < at) continue;
    const kind = code(entity.type, "ENTITY_TYPE_");
    const label = `${entity.negated ? `${t("not")} · ` : ""}${term("entities", kind)}`;
    parts.push(
      points.slice(at, start).join(""),
      el("mark", { class: `is-${kind}${entity.negated ? " is-negated" : ""}`, title: `${entity.normalized} · ${entity.source}` }, points.slice(start, entity.end).join(""), el("small", {}, label)));
    at = entity.end;
  }
  return el("span", { class: "parsed", lang: query.languageCode }, parts, points.slice(at).join(""));
}

function range({ min, max, unit }) {
  const tail = unit ? ` ${unit}` : "";
  if (min === undefined) return `≤ ${number(max)}${tail}`;
  if (max === undefined) return `≥ ${number(min)}${tail}`;
  return min === max ? `= ${number(min)}${tail}` : `${number(min)}–${number(max)}${tail}`;
}

function condition(constraint, relaxed) {
  const values = constraint.range ? range(constraint.range) : (constraint.anyOf ?? constraint.noneOf)?.values?.join(` ${t("any")} `);
  const off = constraint.hard && relaxed.some((words) => words.includes(constraint.field));
  const strength = off ? "givenUp" : constraint.hard ? "hard" : "soft";
  return el("li", { class: `chip ${strength}` },
    el("span", {}, `${term("fields", constraint.field)}${constraint.noneOf ? ` ${t("not")}` : ""}`), " ", el("b", {}, values ?? ""), el("small", {}, t(strength)));
}

export function conditions(answer) {
  const list = answer.query.constraints ?? [];
  const relaxed = answer.relaxedConstraints ?? [];
  return list.length ? el("ul", { class: "chips", "aria-label": t("conditions") }, list.map((c) => condition(c, relaxed))) : "";
}

/** Corrections that were made, with the way back, and those that are only suggested. */
export function corrections(query, search) {
  const points = [...query.query];
  const all = query.corrections ?? [];
  const offer = (words, keep) => el("button", { class: "link", type: "button", onclick: () => search(words, { keepSpelling: keep }) }, keep ? t("keepSpelling")(words) : words);
  const applied = all.filter((c) => c.applied);
  return [
    applied.length > 0 && el("p", { class: "correction" }, `${t("corrected")} `,
      applied.map((c, i) => [i ? ", " : "", el("s", {}, c.original), " → ", el("b", {}, c.corrected)]), " ", offer(query.query, true)),
    all.filter((c) => !c.applied).map((c) => {
      const words = [...points.slice(0, c.start ?? 0), ...c.corrected, ...points.slice(c.end)].join("");
      return el("p", { class: "correction" }, `${t("didYouMean")} `, offer(words, false), "?");
    }),
  ];
}

/** What else is known of the query, as a list of terms. */
export function facts(answer) {
  const query = answer.query;
  const percent = (value) => `${Math.round((value ?? 0) * 100)}%`;
  const intent = code(query?.intent?.type, "INTENT_TYPE_");
  const related = (query?.expansions ?? []).map((e) => e.expansion).join(", ");
  const rows = [
    query && [t("language"), `${term("languages", query.languageCode)} · ${percent(query.languageConfidence)}`],
    intent && [t("intent"), `${term("intents", intent)} · ${percent(query.intent.confidence)}`],
    query && [t("searchedFor"), query.searchText],
    [t("filter"), answer.appliedFilter && el("code", {}, answer.appliedFilter)],
    [t("related"), related],
    [t("request"), answer.requestId && el("code", {}, answer.requestId)],
  ].filter((row) => row && row[1]);
  return el("dl", { class: "facts" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}
