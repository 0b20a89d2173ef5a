// The page: a search or recommendations, shown as cards, with what was done sent back as events.
import { aboutPage, nothing, notices } from "./about.js";
import { account, offerAccounts, showAccounts, useAccount, user } from "./account/choice.js";
import { ask, newSession, stream } from "./api.js";
import { card, putReason } from "./card.js";
import { closeCompletions, completeWith } from "./complete.js";
import { $, el } from "./dom.js";
import { facetSpecs, filterOf, known, showFacets } from "./facets.js";
import { failure } from "./failure.js";
import { frameWords } from "./frame.js";
import { closePanel, openPanel, reasonCame } from "./panel.js";
import { closePeek } from "./peek.js";
import { current, examples, number, switchLanguage, t } from "./text.js";
import { totalMs } from "./timings.js";

const PAGE = 20;
const TABS = ["search", "foryou"];
const TOAST_MS = 2200;
const state = { tab: "search", query: "", order: "", keepSpelling: false, chosen: [], token: "", attribution: "", run: 0 };
let toasting = 0;

const atHome = () => state.tab === "search" && !state.query;
const searching = () => state.tab === "search" && !atHome();

function words() {
  frameWords();
  $("query").placeholder = t("placeholder");
  $("order").replaceChildren(...Object.entries(t("orders")).map(([value, name]) => el("option", { value }, name)));
  $("order").value = state.order;
  showAccounts();
  $("examples").replaceChildren(...examples().map((q) => el("button", { type: "button", onclick: () => search(q) }, q)));
}

function say(text) {
  $("toast").textContent = text;
  $("toast").classList.add("on");
  clearTimeout(toasting);
  toasting = setTimeout(() => $("toast").classList.remove("on"), TOAST_MS);
}

async function act(type, result) {
  const quantity = type === "VIEW" ? 1 : Number(result.terms?.minimumQuantity ?? 1);
  const event = {
    type: `USER_EVENT_TYPE_${type}`,
    ...user(),
    products: [{ productId: result.product.id, quantity, position: result.rank }],
    attributionToken: state.attribution,
    ...(searching() ? { query: state.query } : {}),
  };
  try {
    await ask("events", { event });
    say(t("noted")[type]);
    if (state.tab === "foryou") await load();
  } catch (error) {
    say(t("errors")[error.status] ?? error.message);
  }
}

function question(more) {
  if (searching()) {
    return {
      query: state.query,
      pageSize: PAGE,
      pageToken: more ? state.token : "",
      orderBy: state.order,
      filter: filterOf(state.chosen),
      facets: more ? [] : facetSpecs(),
      keepSpelling: state.keepSpelling,
      user: user(),
      includeContributions: true,
    };
  }
  const servingConfig = atHome() ? "popular" : "for-you";
  return { user: user(), servingConfig, pageSize: atHome() ? 8 : PAGE, languageCode: current(), includeContributions: true };
}

/**
 * Shows a search as it comes, for as long as `wanted()`: the page, then its reasons, clause by clause.
 *
 * Once the page is there it stays, whatever becomes of its reasons.
 */
async function follow(more, wanted) {
  const cards = new Map();
  const results = new Map();
  const said = new Map(); // text of reasons that are not whole
  let answer = null;
  let ended = false;
  try {
    for await (const part of stream("search/stream", { request: question(more), byClause: true })) {
      if (!wanted()) return;
      if (part.page) {
        answer = part.page;
        for (const result of answer.results ?? []) results.set(result.product.id, result);
        for (const article of fill(answer, more, answer.query?.languageCode || current())) cards.set(article.dataset.product, article);
      } else if (part.clause) {
        const { productId, text } = part.clause;
        said.set(productId, (said.get(productId) ?? "") + text);
        cards.get(productId)?.querySelector(".coming p")?.append(text);
      } else if (part.reason) {
        const [result, article] = [results, cards].map((each) => each.get(part.reason.productId));
        result.reason = part.reason;
        putReason(article, part.reason);
        reasonCame(result, article);
      } else if (part.end) {
        ended = true;
        Object.assign(answer, { timings: part.end.timings, degraded: part.end.degraded });
        sayHow(answer);
      }
    }
  } catch (error) {
    if (!answer) throw error;
  } finally {
    // What was said of a reason is not taken back.
    for (const [id, article] of cards) {
      if (!article.querySelector(".coming")) continue;
      putReason(article, said.has(id) && { text: `${said.get(id)} …`, languageCode: answer.query?.languageCode });
      reasonCame(results.get(id), article);
    }
  }
  if (answer && !ended && wanted()) {
    answer.cutOff = true;
    sayHow(answer);
  }
}

function headline(answer, count) {
  if (!count) return "";
  if (atHome()) return t("popularNow");
  if (state.tab === "foryou") return t(answer.servingConfig === "for-you" ? "foryou" : "popular");
  // An estimate below what is shown, or none at all, says nothing.
  const total = Number(answer.estimatedTotal ?? 0);
  const words = total < count ? "some" : answer.appliedFilter ? "meeting" : "best";
  return t(words)(number(Math.max(total, count)), number(totalMs(answer.timings)));
}

function sayHow(answer) {
  $("status").textContent = headline(answer, $("results").querySelectorAll(".card").length);
  $("notice").replaceChildren(...notices(answer, () => load()));
}

/** Shows a page and returns its cards; `coming` as of `card`. */
function fill(answer, more, coming = "") {
  closePeek(); // what it points at may be gone
  state.token = answer.nextPageToken ?? "";
  state.attribution = answer.attributionToken ?? "";
  const why = (result, button) => openPanel(result, answer, button);
  const cards = (answer.results ?? []).map((result) => card(result, act, why, coming));
  if (more) {
    $("results").append(...cards);
    cards[0]?.querySelector("button")?.focus();
  } else {
    closePanel(false);
    $("results").replaceChildren(...cards);
    $("about").replaceChildren(...(atHome() ? [] : aboutPage(answer, search)));
    $("about").hidden = atHome();
    showFacets(answer.facets ?? [], state.chosen, toggle, () => go({ chosen: [] }));
  }
  const count = $("results").children.length;
  if (!count) $("results").append(nothing(state.tab !== "search" || atHome()));
  sayHow(answer);
  $("more").hidden = !state.token;
  $("sorting").hidden = !searching() || !count;
  return cards;
}

function fail(error, more) {
  if (more) { // what is there stays
    say(t("errors")[error.status] ?? error.message);
    return;
  }
  closePanel(false);
  for (const id of ["about", "facets", "more", "sorting"]) $(id).hidden = true;
  $("notice").replaceChildren();
  $("status").textContent = "";
  $("results").replaceChildren(failure(error, again));
}

/** Tries again: with another key there may be other accounts. */
async function again() {
  await offerAccounts();
  return load();
}

async function load(more = false) {
  const run = ++state.run;
  document.body.classList.toggle("home", atHome());
  document.body.classList.toggle("foryou", state.tab === "foryou");
  document.title = searching() ? `${state.query} · Wherefore` : "Wherefore";
  $("title").textContent = atHome() ? t("hero") : state.tab === "foryou" ? t("tabForYou") : t("resultsFor")(state.query);
  $("restart").hidden = state.tab !== "foryou";
  for (const tab of TABS) {
    if (tab === state.tab) $(`tab-${tab}`).setAttribute("aria-current", "page");
    else $(`tab-${tab}`).removeAttribute("aria-current");
  }
  $("results").setAttribute("aria-busy", "true");
  if (!more) $("status").textContent = t(searching() ? "searching" : "loading");
  const wanted = () => run === state.run; // otherwise a newer question was asked meanwhile
  try {
    if (searching()) {
      await follow(more, wanted);
    } else {
      const answer = await ask("recommend", question(more));
      if (wanted()) fill(answer, more);
    }
  } catch (error) {
    if (wanted()) fail(error, more);
  } finally {
    if (wanted()) $("results").removeAttribute("aria-busy");
  }
}

function address() {
  const parts = new URLSearchParams();
  if (state.tab === "foryou") parts.set("view", "foryou");
  if (state.query) parts.set("q", state.query);
  if (state.order) parts.set("order", state.order);
  for (const condition of state.chosen) parts.append("f", condition);
  if (account()) parts.set("account", account());
  const text = parts.toString();
  return text ? `/?${text}` : "/";
}

/** Changes the state, keeps it in the address, and loads. */
function go(changes) {
  const { tab } = state;
  Object.assign(state, changes);
  if (address() !== location.pathname + location.search) history.pushState(null, "", address());
  // Cards of another view must not stand under this one's name while it loads.
  if (tab !== state.tab) $("results").replaceChildren();
  return load();
}

/** Chooses a condition, or gives it up: beside what was chosen meanwhile, whose answer may not be here yet. */
function toggle(condition) {
  const { chosen } = state;
  go({ chosen: chosen.includes(condition) ? chosen.filter((each) => each !== condition) : [...chosen, condition] });
}

function search(query, { keepSpelling = false } = {}) {
  closeCompletions();
  $("query").value = query;
  // What was chosen among the results of another query is not wanted here.
  const chosen = query.trim() === state.query ? state.chosen : [];
  return go({ tab: "search", query: query.trim(), keepSpelling, chosen });
}

function fromAddress() {
  const parts = new URLSearchParams(location.search);
  state.tab = parts.get("view") === "foryou" ? "foryou" : "search";
  state.query = (parts.get("q") ?? "").trim();
  state.order = parts.get("order") in t("orders") ? parts.get("order") : "";
  state.keepSpelling = false;
  state.chosen = known(parts.getAll("f"));
  useAccount(parts.get("account") ?? "");
  $("query").value = state.query;
  $("order").value = state.order;
  $("results").replaceChildren();
  return load();
}

$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search($("query").value);
});
completeWith((query) => search(query));
$("order").addEventListener("change", () => go({ order: $("order").value }));
$("account").addEventListener("change", () => {
  useAccount($("account").value);
  go({});
});
$("more").addEventListener("click", () => load(true));
for (const tab of TABS) $(`tab-${tab}`).addEventListener("click", () => go({ tab }));
$("language").addEventListener("click", () => {
  switchLanguage();
  words();
  load();
});
$("restart").addEventListener("click", async () => {
  newSession();
  await load();
  say(t("restarted"));
});
// A fragment in the address would count as a step in its history.
$("skip").addEventListener("click", (event) => {
  event.preventDefault();
  $("results").focus();
});
addEventListener("popstate", fromAddress);
words();
const offered = offerAccounts();
if (new URLSearchParams(location.search).has("account")) await offered; // nobody else waits for it
fromAddress();
if (atHome()) $("query").focus();
