// Which colours a text names, in the catalogue's own words or in those of the page's language.
import { COLOURS } from "../picture.js";
import { t } from "../text.js";

const ALIASES = { gray: "grey", violet: "purple", lavender: "lilac" };
const KEYS = [...Object.keys(COLOURS), ...Object.keys(ALIASES)].sort((a, b) => b.length - a.length); // "rose gold" before "gold"

/** Returns the catalogue's words for the colours that a text names. */
export function coloursIn(text) {
  let left = text.toLowerCase();
  const found = [];
  const take = (word, key) => {
    if (!left.includes(word)) return;
    left = left.replaceAll(word, " ");
    found.push(key);
  };
  for (const [key, word] of Object.entries(t("picturesColours")).sort((a, b) => b[1].length - a[1].length)) {
    if (!/^[a-z ]+$/.test(word)) take(word, key);
  }
  for (const key of KEYS) {
    if (new RegExp(`\\b${key}\\b`).test(left)) take(key, ALIASES[key] ?? key);
  }
  return found;
}
