// Completions under the search box: a combobox with a list, as https://www.w3.org/WAI/ARIA/apg/patterns/combobox/
// describes it. Focus stays in the box; arrow keys point at what Enter would take.
import { ask } from "./api.js";
import { $, el } from "./dom.js";
import { current, t } from "./text.js";

const LIMIT = 8;
// A pause in typing; answers come faster than letters do.
const PAUSE_MS = 60;

let options = [];
let active = -1;
let run = 0;
let waiting = 0;

function shown(completion) {
  const points = Array.from(completion.text); // spans count code points
  const start = completion.matchStart ?? 0;
  const end = completion.matchEnd ?? 0;
  const part = (from, to) => points.slice(from, to).join("");
  return [part(0, start), end > start && el("b", {}, part(start, end)), part(end)];
}

function option(completion, index, take) {
  const source = (completion.source ?? "").replace("COMPLETION_SOURCE_", "");
  return el("li", {
    id: `completion-${index}`,
    role: "option",
    "aria-selected": "false",
    // Before the box loses the focus, which would close the list.
    onmousedown: (event) => {
      event.preventDefault();
      take(completion.text);
    },
  }, el("span", {}, shown(completion)), el("small", {}, t("completionSources")[source] ?? ""));
}

function point(index) {
  active = index;
  for (const [at, node] of [...$("completions").children].entries()) node.setAttribute("aria-selected", String(at === active));
  if (active < 0) $("query").removeAttribute("aria-activedescendant");
  else {
    $("query").setAttribute("aria-activedescendant", `completion-${active}`);
    $(`completion-${active}`).scrollIntoView({ block: "nearest" });
  }
}

/** Takes the list away; what is still being asked for is not shown either. */
export function closeCompletions() {
  run += 1;
  clearTimeout(waiting);
  options = [];
  $("completions").hidden = true;
  $("completions").replaceChildren();
  $("query").setAttribute("aria-expanded", "false");
  point(-1);
}

async function show(take) {
  const prefix = $("query").value;
  if (!prefix.trim() || prefix.trim().length > 100) {
    closeCompletions();
    return;
  }
  const asked = ++run;
  let answer;
  try {
    answer = await ask("complete", { prefix, limit: LIMIT, languageCode: current() });
  } catch {
    return; // searching works without
  }
  if (asked !== run) return; // more was typed meanwhile
  options = (answer.completions ?? []).map((completion) => completion.text);
  $("completions").replaceChildren(...(answer.completions ?? []).map((completion, index) => option(completion, index, take)));
  $("completions").hidden = !options.length;
  $("query").setAttribute("aria-expanded", String(options.length > 0));
  point(-1);
}

/** Completes what is typed into the search box; `take` is called with what was chosen. */
export function completeWith(take) {
  const box = $("query");
  const chosen = (text) => {
    closeCompletions();
    take(text);
  };
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show(chosen), PAUSE_MS);
  });
  box.addEventListener("blur", closeCompletions);
  box.addEventListener("keydown", (event) => {
    if (event.isComposing || !options.length) return; // Enter and arrows belong to the input method
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const places = options.length + 1; // one of them is the box itself
      point(((active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      chosen(options[active]);
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      closeCompletions();
    }
  });
}
