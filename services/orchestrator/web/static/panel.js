// The panel that says why one result is where it is. Beside the results where there is room, so that
// one result after the other can be looked at; over them elsewhere.
import { accountTerms } from "./account/price.js";
import { titleOf } from "./card.js";
import { $, bar, el, icon } from "./dom.js";
import { conditions, highlighted } from "./query.js";
import { evidenceTable, writer } from "./reason.js";
import { reviewSummary } from "./summary.js";
import { t, term } from "./text.js";
import { timings } from "./timings.js";
import { wordByWord } from "./words.js";

const LEFT = "M15 5l-7 7 7 7";
const RIGHT = "M9 5l7 7-7 7";
const CROSS = "M6 6l12 12M18 6L6 18";
const SHOWN = 8;
const wide = matchMedia("(min-width: 1080px)");

let opener = null;

function section(title, ...content) {
  return el("section", {}, el("h3", {}, title), content);
}

function figures(result) {
  const rows = [
    [t("place"), String(result.rank)],
    [t("score"), (result.score ?? 0).toFixed(3)],
    result.confidence > 0 && [t("confidence"), `${Math.round(result.confidence * 100)}%`],
    result.boost && [t("boost"), `${result.boost < 0 ? "−" : "+"}${Math.abs(result.boost).toFixed(3)}`],
    result.fusedScore > 0 && [t("fused"), result.fusedScore.toFixed(3)],
  ].filter(Boolean);
  return el("dl", { class: "figures" }, rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

function legs(list) {
  return el("table", { class: "bars legs" }, list.map((leg) => el("tr", {},
    el("th", { scope: "row" }, `${term("legs", leg.leg)} `, el("code", {}, leg.leg)),
    // Later places differ less than the first ones do.
    el("td", {}, bar([["fill", 0, 100 / Math.sqrt(leg.rank)]])),
    el("td", { class: "value" }, t("atPlace")(leg.rank)),
    el("td", { class: "value" }, (leg.score ?? 0).toFixed(3)))));
}

function contributionRow(most) {
  return (c) => {
    const by = c.contribution ?? 0;
    const width = (Math.abs(by) / most) * 50;
    return el("tr", { title: `${c.feature} = ${(c.value ?? 0).toFixed(3)}` },
      el("th", { scope: "row" }, t(by < 0 ? "lowered" : "features")[c.feature] ?? (c.label || c.feature)),
      el("td", {}, bar([[by < 0 ? "minus" : "fill", by < 0 ? 50 - width : 50, width], ["zero", 49.7, 0.6]])),
      el("td", { class: "value" }, `${by < 0 ? "−" : "+"}${Math.abs(by).toFixed(3)}`));
  };
}

function contributions(list) {
  if (!list.length) return el("p", { class: "hint" }, t("noContributions"));
  const row = contributionRow(Math.max(...list.map((c) => Math.abs(c.contribution ?? 0)), 0.001));
  const rest = list.slice(SHOWN);
  return [
    el("p", { class: "hint" }, t("contributionsHint")),
    el("table", { class: "bars parts" }, list.slice(0, SHOWN).map(row)),
    rest.length > 0 && el("details", {}, el("summary", {}, t("moreContributions")(rest.length)), el("table", { class: "bars parts" }, rest.map(row))),
  ];
}

function step(path, words, target) {
  return el("button", { type: "button", class: "round", "aria-label": words, title: words, disabled: !target, onclick: () => target.querySelector(".explain").click() }, icon(path));
}

function reasonOf(result, card) {
  if (result.reason?.clauses?.length) return [evidenceTable(result.reason), writer(result.reason)];
  return [el("p", { class: "hint" }, t(card.querySelector(".coming") ? "reasonComing" : "noReason"))];
}

/** Shows in the panel, where it is open for a result, what has become of its reason. */
export function reasonCame(result, card) {
  if ($("why").open && card.classList.contains("current")) $("why").querySelector(".why-reason").replaceChildren(el("div", {}, reasonOf(result, card)));
}

/** Opens the panel for a result of `answer`; `button` is what asked for it. */
export function openPanel(result, answer, button) {
  const dialog = $("why");
  const shown = button.closest(".card");
  const title = titleOf(result, answer.query?.languageCode);
  closePanel(false);
  opener = button;
  shown.classList.add("current");
  const reason = section(t("reason"), el("div", { class: "why-reason", "aria-live": "polite" }, el("div", {}, reasonOf(result, shown))));
  const heading = el("h2", { id: "why-title", tabindex: "-1" }, t("whyTitle"));
  dialog.replaceChildren(
    el("div", { class: "head" }, heading,
      step(LEFT, t("previous"), shown.previousElementSibling),
      step(RIGHT, t("next"), shown.nextElementSibling),
      el("button", { type: "button", class: "round", "aria-label": t("close"), title: t("close"), onclick: () => closePanel() }, icon(CROSS))),
    el("div", { class: "sections" },
      el("p", { class: "subject", lang: title.lang }, title.text),
      figures(result),
      reason,
      result.terms && section(t("priceTitle"), accountTerms(result.terms)),
      section(t("opinions"), reviewSummary(result.product.id)),
      answer.query && section(t("read"), el("p", {}, highlighted(answer.query)), conditions(answer)),
      result.legs?.length > 0 && section(t("found"), legs(result.legs)),
      section(t("contributions"), contributions(result.contributions ?? [])),
      answer.query && answer.attributionToken && section(t("words"), wordByWord(result, answer)),
      answer.timings?.length > 0 && section(t("times"), timings(answer.timings))));
  if (wide.matches) dialog.show();
  else dialog.showModal();
  document.body.classList.add("inspecting");
  dialog.scrollTop = 0;
  heading.focus({ preventScroll: true });
  if (wide.matches) shown.scrollIntoView({ block: "nearest" });
}

export function closePanel(giveBackFocus = true) {
  const dialog = $("why");
  if (!dialog.open) return;
  dialog.close();
  document.body.classList.remove("inspecting");
  document.querySelector(".card.current")?.classList.remove("current");
  if (giveBackFocus && opener?.isConnected) opener.focus();
}

// A panel beside the results is not modal, so the browser leaves Escape to the page.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && $("why").open) {
    event.preventDefault();
    closePanel();
  }
});
// A tap beside the sheet hits the backdrop, which belongs to the dialog itself.
$("why").addEventListener("click", (event) => {
  if (event.target === $("why") && !wide.matches) closePanel();
});
