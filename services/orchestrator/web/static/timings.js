// How long every stage took, as a time line.
import { bar, el } from "./dom.js";
import { t } from "./text.js";

const ms = (nanos) => Number(nanos ?? 0) / 1e6;

/** Puts the parts of a stage ("nlu.embedding") behind the stage ("nlu"). */
function inFamilies(list) {
  const family = (timing) => timing.stage.split(".")[0];
  const order = [...new Set(list.map(family))];
  return [...list].sort((a, b) => order.indexOf(family(a)) - order.indexOf(family(b)));
}

export const totalMs = (list) => Math.round(ms((list ?? []).find((s) => s.stage === "total")?.durationNanos));

export function timings(list) {
  const end = Math.max(...list.map((s) => ms(s.startOffsetNanos) + ms(s.durationNanos)), 0.001);
  const percent = (nanos) => (ms(nanos) / end) * 100;
  const rows = inFamilies(list).map((s) => {
    const part = s.stage.includes(".");
    const start = percent(s.startOffsetNanos);
    const model = Number(s.inferenceNanos ?? 0);
    // Within a stage the forward pass comes after the queue.
    const shapes = [[part ? "part" : "fill", start, percent(s.durationNanos)]];
    if (model) shapes.push(["inference", start + percent(s.queueNanos), percent(model)]);
    return el("tr", {},
      el("th", { scope: "row", class: part ? "part" : "" }, part ? s.stage.slice(s.stage.indexOf(".") + 1) : t("stages")[s.stage] ?? s.stage),
      el("td", {}, bar(shapes)),
      el("td", { class: "value" }, `${ms(s.durationNanos).toFixed(1)} ms`));
  });
  const legend = list.some((s) => Number(s.inferenceNanos ?? 0)) && el("p", { class: "legend" },
    el("span", { class: "key stage" }), t("legend").stage, el("span", { class: "key inference" }), t("legend").inference);
  return [el("table", { class: "bars" }, rows), legend];
}
