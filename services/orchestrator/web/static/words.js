// What each word did, on request: asked of the explanation service when the button is pressed.
import { user } from "./account/choice.js";
import { ask } from "./api.js";
import { el } from "./dom.js";
import { t } from "./text.js";

const LEAST = { cosine: 0.005, logit: 0.3 };
const MOST = 8;

const signed = (by, digits) => `${by < 0 ? "−" : "+"}${Math.abs(by).toFixed(digits)}`;

/** A text with its words marked by what they did. Spans count code points. */
function marked(text, words, least, digits) {
  const points = [...text];
  const told = words
    .map((word) => ({ start: word.start ?? 0, end: word.end ?? 0, by: word.effect ?? word.attribution ?? 0 }))
    .filter((word) => Math.abs(word.by) >= least)
    .sort((a, b) => Math.abs(b.by) - Math.abs(a.by))
    .slice(0, MOST)
    .sort((a, b) => a.start - b.start);
  const parts = [];
  let at = 0;
  for (const word of told) {
    parts.push(points.slice(at, word.start).join(""),
      el("mark", { class: word.by < 0 ? "is-against" : "is-for" }, points.slice(word.start, word.end).join(""), el("small", {}, signed(word.by, digits))));
    at = word.end;
  }
  return el("p", { class: "parsed" }, parts, points.slice(at).join(""));
}

function found(explained, query) {
  const match = explained?.semanticMatch;
  const reading = explained?.crossReading;
  const made = reading?.attribution;
  return [
    match && el("p", { class: "hint" }, t("inMeaning")(signed(match.cosine ?? 0, 2))),
    match && marked(query, match.words ?? [], LEAST.cosine, 2),
    made && el("p", { class: "hint" }, t("readTogether")(signed(made.logit ?? 0, 1))),
    made && marked(reading.queryText, made.leftWords ?? [], LEAST.logit, 1),
    made && marked(reading.productText, made.rightWords ?? [], LEAST.logit, 1),
    !match && !made && el("p", { class: "hint" }, t("noWords")),
  ].filter(Boolean);
}

/** The button, and in its place the words once they are there. */
export function wordByWord(result, answer) {
  const place = el("div", { class: "words", "aria-live": "polite" });
  const button = el("button", { type: "button", class: "link" }, t("askWords"));
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      const explained = await ask("explain", {
        attributionToken: answer.attributionToken,
        productIds: [result.product.id],
        user: user(),
        readingCount: 1,
      });
      place.replaceChildren(...found(explained.explanations?.[0], answer.query.query));
    } catch (error) {
      button.disabled = false;
      place.replaceChildren(button, el("p", { class: "hint" }, t("errors")[error.status] ?? error.message));
    }
  });
  place.append(button);
  return place;
}
