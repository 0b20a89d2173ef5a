// Which words the page uses.
import en from "./words_en.js";
import zh from "./words_zh.js";

const WORDS = { en, zh };
const EXAMPLES = {
  en: ["wireless headphones under 300", "red dress for women", "backpack not black", "gift for a ten-year-old", "保温杯"],
  zh: ["200元以下的耳机", "双肩包 不要黑色", "4-6寸 生日蛋糕", "送女朋友的生日礼物", "red dress for women"],
};
const kept = localStorage.getItem("language");
let language = kept in WORDS ? kept : navigator.language.startsWith("zh") ? "zh" : "en";

export const current = () => language;
export const t = (key) => WORDS[language][key];
export const examples = () => EXAMPLES[language];
export const number = (value) => Number(value ?? 0).toLocaleString(language);

/** Returns the page's word for a code of the service, or the code itself made readable. */
export const term = (group, code) => t(group)[code] ?? String(code ?? "").replaceAll("_", " ");

export function switchLanguage() {
  language = language === "en" ? "zh" : "en";
  localStorage.setItem("language", language);
}

export function money(amount, currency) {
  const style = { style: "currency", currency, currencyDisplay: "narrowSymbol", trailingZeroDisplay: "stripIfInteger" };
  try {
    return new Intl.NumberFormat(language, style).format(amount ?? 0);
  } catch { // not a currency that this browser knows
    return `${number(amount)} ${currency ?? ""}`.trim();
  }
}
