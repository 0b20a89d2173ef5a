// What all pages have around them: words in the visitor's language.
import { $ } from "./dom.js";
import { current, t } from "./text.js";

/** Puts the words where the page names them. */
export function frameWords() {
  document.documentElement.lang = current() === "zh" ? "zh-CN" : "en";
  for (const node of document.querySelectorAll("[data-text]")) node.textContent = t(node.dataset.text);
  for (const node of document.querySelectorAll("[data-label]")) node.setAttribute("aria-label", t(node.dataset.label));
  $("language").textContent = t("other");
  $("language").lang = t("otherLanguage");
}
