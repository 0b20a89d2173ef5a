// The page that searches by pictures: what is sought, and the products whose pictures fit it.
import { notices } from "../about.js";
import { ask, session } from "../api.js";
import { titleOf } from "../card.js";
import { $, el } from "../dom.js";
import { asksForKey, failure } from "../failure.js";
import { frameWords } from "../frame.js";
import { current as language, number, switchLanguage, t } from "../text.js";
import { putThumbnail, resultItem } from "./result.js";
import * as source from "./source.js";

const PAGE = 12;
const OFFERED = 60;
const OWN = 8;
// Fields of a search by the place where the page says what is wrong with them.
const PLACES = { "pictures.picture": "picture-error", "pictures.product_id": "picture-error", "pictures.edit": "edit-error", "pictures.text": "text-error" };
const state = { asked: null, token: "", count: 0, run: 0, own: null };

const text = () => $("text").value.trim();
const edit = () => (source.current() ? $("edit").value.trim() : "");

function balance() {
  const share = Number($("weight").value);
  const both = source.current() && text();
  $("weight").disabled = !both;
  const words = t("picturesBalance")(100 - share, share);
  $("weight").setAttribute("aria-valuetext", words);
  $("weight-said").textContent = both ? words : t("picturesNoBalance");
}

function sourceChanged() {
  $("edit").disabled = !source.current();
  for (const button of $("own-list").children) button.setAttribute("aria-pressed", String(button.dataset.product === source.current()?.product?.id));
  balance();
}

/** What is sent: the picture, the text, both with weights, or the picture with its edit. */
function question() {
  const share = Number($("weight").value);
  const weights = source.current() && text() ? { pictureWeight: 100 - share, textWeight: share } : {};
  return { ...source.asked(), text: text(), edit: edit(), ...weights };
}

function clearFaults() {
  for (const id of Object.values(PLACES)) source.said(id, "");
  for (const id of ["file", "edit", "text"]) $(id).removeAttribute("aria-invalid");
}

/** Says what is wrong beside the field that it is wrong with; false where it is none of these. */
function showFaults(error) {
  let shown = false;
  for (const { field = "", description = "" } of error.violations ?? []) {
    const place = Object.entries(PLACES).find(([name]) => field.startsWith(name))?.[1];
    if (!place) continue;
    source.said(place, [`${t("picturesRefused")} `, el("q", { lang: "en" }, description)]);
    $(place === "picture-error" ? "file" : place.replace("-error", "")).setAttribute("aria-invalid", "true");
    shown = true;
  }
  return shown;
}

/** Puts small pictures where there are any; drawings stay where there are none. */
async function thumbnails(products, put) {
  if (!products.length) return;
  try {
    const found = await ask("thumbnails", products.map((product) => product.id));
    for (const product of products) if (found[product.id]) put(product, found[product.id]);
  } catch {
    // The results stand without.
  }
}

function from(product, title) {
  const image = document.querySelector(`[data-product="${CSS.escape(product.id)}"] .art img`);
  source.useProduct(product, title, image?.src);
  scrollTo({ top: 0 });
  search();
}

/** What a product with a change is sought among; the page itself sets no filter. */
function kindOf(answer) {
  return /^category: "(.+)"$/.exec(answer.appliedFilter ?? "")?.[1].replaceAll(/\\(.)/g, "$1") ?? "";
}

function show(answer, more) {
  const items = (answer.results ?? []).map((result) => resultItem(result, state.asked, from));
  state.token = answer.nextPageToken ?? "";
  state.count = (more ? state.count : 0) + items.length;
  if (more) $("results").append(...items);
  else $("results").replaceChildren(...items);
  if (more) items[0]?.querySelector("button")?.focus();
  if (!state.count) $("results").replaceChildren(el("li", { class: "blank" }, el("h2", {}, t("picturesNone")), el("p", {}, t("picturesNoneMore"))));
  $("status").textContent = state.count ? t("picturesFound")(number(state.count), kindOf(answer)) : "";
  $("notice").replaceChildren(...notices(answer, () => load()));
  $("more").hidden = !state.token;
  const byId = new Map(items.map((item) => [item.dataset.product, item]));
  return thumbnails((answer.results ?? []).map((result) => result.product), (product, address) => putThumbnail(byId.get(product.id), address));
}

/** Says in the place of the results why there are none. */
function fail(error, retry) {
  const again = () => {
    $("results").replaceChildren();
    return retry();
  };
  $("results").replaceChildren(el("li", { class: "blank-place" }, failure(error, again, t("picturesErrors"))));
}

async function load(more = false) {
  const run = ++state.run;
  clearFaults();
  $("results").setAttribute("aria-busy", "true");
  $("status").textContent = t("searching");
  try {
    const request = { pictures: state.asked.pictures, pageSize: PAGE, pageToken: more ? state.token : "", user: { sessionId: session() }, languageCode: language(), skipReasons: true };
    const answer = await ask("search/pictures", request);
    if (run === state.run) show(answer, more);
  } catch (error) {
    if (run !== state.run) return; // something newer was asked for meanwhile
    $("status").textContent = "";
    $("notice").replaceChildren();
    $("more").hidden = true;
    if (showFaults(error)) $("results").replaceChildren();
    else fail(error, () => load(more));
  } finally {
    if (run === state.run) $("results").removeAttribute("aria-busy");
  }
}

function search() {
  if (!source.current() && !text()) {
    clearFaults();
    source.said("text-error", t("picturesNothing"));
    $("text").focus();
    return;
  }
  state.asked = { pictures: question(), text: text(), edit: edit() };
  const kept = new URLSearchParams(Object.entries({ text: text(), edit: edit(), product: source.current()?.product?.id }).filter(([, value]) => value));
  history.replaceState(null, "", kept.size ? `/pictures?${kept}` : "/pictures");
  load();
}

function showOwn() {
  // There is room for them before they come, or what is below would move under the pointer.
  $("own").hidden = state.own?.length === 0;
  $("own-list").replaceChildren(...(state.own ?? []).map(({ product, address }) => {
    const title = titleOf({ product }, language()).text;
    const use = () => {
      source.useProduct(product, title, address);
      search();
    };
    return el("button", { type: "button", "data-product": product.id, "aria-label": title, title, "aria-pressed": "false", onclick: use }, el("img", { src: address, alt: "" }));
  }));
  sourceChanged();
}

/** Offers pictures of popular products, each category once where there are enough. */
async function offer() {
  const request = { user: { sessionId: session() }, servingConfig: "popular", pageSize: OFFERED, skipReasons: true };
  const answer = await ask("recommend", request).catch((error) => {
    // A search would be refused too, which is said before somebody looks for a picture.
    if (asksForKey(error) && !state.asked) fail(error, () => fromAddress(offer()));
    return {};
  });
  const pictured = [];
  await thumbnails((answer.results ?? []).map((result) => result.product), (product, address) => pictured.push({ product, address }));
  const first = new Map();
  for (const each of pictured) if (!first.has(each.address)) first.set(each.address, each);
  const kinds = new Map();
  for (const each of first.values()) {
    const kind = each.product.categoryPath?.[0] ?? each.product.id;
    kinds.set(kind, [...(kinds.get(kind) ?? []), each]);
  }
  const rest = [...kinds.values()].flatMap((list) => list.slice(1));
  state.own = [...[...kinds.values()].map((list) => list[0]), ...rest].slice(0, OWN);
  showOwn();
  return pictured;
}

/** Searches for what the address names; its product once pictures of the shop are here. */
async function fromAddress(pictured) {
  const kept = new URLSearchParams(location.search);
  for (const id of ["text", "edit"]) $(id).value = kept.get(id) ?? $(id).value;
  sourceChanged();
  const wanted = kept.get("product");
  if (!wanted && text()) search();
  const known = (await pictured).find((each) => each.product.id === wanted);
  if (!wanted || state.asked || source.current()) return; // the visitor was faster
  if (known) source.useProduct(known.product, titleOf({ product: known.product }, language()).text, known.address);
  if (known || text()) search();
}

function words() {
  frameWords();
  document.title = `${t("picturesTitle")} · Wherefore`;
  $("text").placeholder = t("picturesTextExample");
  $("edit").placeholder = t("picturesEditExample");
  source.refresh();
  showOwn();
}

$("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
$("text").addEventListener("input", balance);
$("weight").addEventListener("input", balance);
$("more").addEventListener("click", () => load(true));
$("language").addEventListener("click", () => {
  switchLanguage();
  words();
  clearFaults();
  if (state.asked) load();
});
source.begin(sourceChanged);
words();
fromAddress(offer());
