// What stands in the place of an answer that did not come, with a way to go on.
import { useKey } from "./api.js";
import { $, el } from "./dom.js";
import { t } from "./text.js";

// What a suite with security on says to who shows no key, or one that does not open this.
const KEYLESS = ["UNAUTHENTICATED", "PERMISSION_DENIED"];

export const asksForKey = (error) => KEYLESS.includes(error.status);

function keyForm(retry) {
  const id = $("key") ? `key-${document.querySelectorAll(".key-form").length}` : "key"; // a conversation may ask twice
  const input = el("input", { id, type: "password", required: true, autocomplete: "off", spellcheck: "false" });
  const use = (event) => {
    event.preventDefault();
    useKey(input.value.trim());
    retry();
  };
  return el("form", { class: "key-form", onsubmit: use },
    el("label", { for: id }, t("key")), input,
    el("button", { type: "submit", class: "primary" }, t("useKey")));
}

/** Says what an error means; `own` are a page's own words for some of its codes. */
export const meaning = (error, own = {}) => own[error.status] ?? t("errors")[error.status];

/** An error in the place of what was asked for. */
export function failure(error, retry, own = {}) {
  const words = meaning(error, own);
  if (asksForKey(error)) {
    return el("div", { class: "blank", role: "alert" },
      el("h2", {}, t("keyTitle")), el("p", {}, words), keyForm(retry));
  }
  return el("div", { class: "blank", role: "alert" },
    el("h2", {}, t("errorTitle")),
    el("p", {}, words ?? error.message),
    words && error.status !== "NETWORK" && el("p", {}, el("code", {}, `${error.status}: ${error.message}`)),
    el("button", { type: "button", class: "primary", onclick: retry }, t("retry")));
}
