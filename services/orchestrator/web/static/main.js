// The page: a search or recommendations, shown as cards, with what was done sent back as events.
import { ask, session } from "./api.js";
import { card } from "./card.js";
import { $, el } from "./dom.js";
import { current, EXAMPLES, setLanguage, t } from "./text.js";
import { aboutPage, notices } from "./why.js";

const state = { tab: "search", query: "", token: "", attribution: "", run: 0 };
const user = { sessionId: session };

function words() {
  document.documentElement.lang = current();
  document.querySelectorAll("[data-text]").forEach((n) => { n.textContent = t(n.dataset.text); });
  $("query").placeholder = t("placeholder");
  $("language").textContent = t("other");
  const chosen = $("order").value;
  $("order").replaceChildren(...Object.entries(t("orders")).map(([v, name]) => el("option", { value: v }, name)));
  $("order").value = chosen;
}
function say(text) { $("toast").textContent = text; $("toast").classList.add("on"); setTimeout(() => $("toast").classList.remove("on"), 1800); }
function notice(...parts) { $("notice").replaceChildren(...parts); $("notice").hidden = parts.length === 0; }

async function act(type, result) {
  const event = { type: `USER_EVENT_TYPE_${type}`, sessionId: session, products: [{ productId: result.product.id, quantity: 1, position: result.rank }], attributionToken: state.attribution, ...(state.tab === "search" ? { query: state.query } : {}) };
  try {
    await ask("events", { event });
    say(t("noted")[type]);
    if (state.tab === "foryou") await load();
  } catch (error) { say(t("error") + error.message); }
}
async function load(more = false) {
  const run = ++state.run;
  if (state.tab === "search" && !state.query) { $("results").replaceChildren(); $("about").hidden = true; $("more").hidden = true; $("status").textContent = ""; notice(); return; }
  $("results").classList.add("busy");
  if (!more) $("status").textContent = t("searching");
  try {
    const answer = state.tab === "search"
      ? await ask("search", { query: state.query, pageSize: 20, pageToken: more ? state.token : "", orderBy: $("order").value, user, includeContributions: true })
      : await ask("recommend", { user, pageSize: 20, languageCode: current(), includeContributions: true });
    if (run !== state.run) return; // a newer question was asked meanwhile
    state.token = answer.nextPageToken ?? "";
    state.attribution = answer.attributionToken;
    const cards = (answer.results ?? []).map((r) => card(r, act));
    if (more) $("results").append(...cards); else $("results").replaceChildren(...cards);
    if (more) cards[0]?.querySelector("button")?.focus();
    const total = answer.timings?.find((s) => s.stage === "total");
    const shown = $("results").children.length;
    $("status").textContent = !shown ? t("none") : state.tab === "foryou" ? t(answer.servingConfig === "for-you" ? "foryou" : "popular") : t("found")(shown, Number(answer.estimatedTotal ?? 0), Math.round(Number(total?.durationNanos ?? 0) / 1e6));
    notice(...notices(answer));
    if (!more) { $("about").replaceChildren(aboutPage(answer, search)); $("about").hidden = false; }
    $("more").hidden = !state.token;
  } catch (error) {
    if (run !== state.run) return;
    notice(t("error") + error.message);
    $("status").textContent = "";
  } finally { if (run === state.run) $("results").classList.remove("busy"); }
}
function search(query) {
  $("query").value = query;
  state.query = query.trim();
  history.replaceState(null, "", state.query ? `?q=${encodeURIComponent(state.query)}` : "/");
  return load();
}
function show(tab) {
  state.tab = tab;
  for (const name of ["search", "foryou"]) $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
  document.body.classList.toggle("foryou", tab === "foryou");
  $("results").replaceChildren();
  return load();
}
$("search").addEventListener("submit", (e) => { e.preventDefault(); search($("query").value); });
$("order").addEventListener("change", () => load());
$("more").addEventListener("click", () => load(true));
$("tab-search").addEventListener("click", () => show("search"));
$("tab-foryou").addEventListener("click", () => show("foryou"));
$("language").addEventListener("click", () => { setLanguage(current() === "en" ? "zh" : "en"); words(); load(); });
$("examples").append(...EXAMPLES.map((q) => el("button", { type: "button", onclick: () => search(q) }, q)));
words();
const asked = new URLSearchParams(location.search).get("q");
if (asked) search(asked);
