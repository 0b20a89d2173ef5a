// The form: one text at a time. Spans are counted in code points, as the service counts them.
const $ = (id) => document.getElementById(id);
const KEYS = "123456789abcdefghijklmnopqrtvwxyz"; // s and u skip and undo
let task, item, spans = [], busy = false;

async function ask(path, body) {
  const response = await fetch(path, body && {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error ?? `The server answered ${response.status}.`);
  return answer;
}

async function act(action, fields = {}) {
  if (busy) return;
  busy = true;
  try {
    show(await ask(`/api/${action}`, { annotator: $("annotator").value.trim(), ...fields }));
    $("error").hidden = true;
  } catch (error) {
    const gone = error instanceof TypeError;
    $("error").textContent = gone ? "The form's server does not answer; is it still running?" : error.message;
    $("error").hidden = false;
  } finally {
    busy = false;
  }
}

const given = () => ({ item: item.id, note: $("note").value.trim() });
const choose = (label) => (task.kind === "classes" ? act("label", { ...given(), label }) : mark(label));
const save = () => act("label", { ...given(), spans });
const skip = () => item && act("skip", given());
const undo = () => act("undo");

function show(state) {
  const { labelled, skipped, left, counts } = state.progress;
  $("bar").max = Math.max(1, labelled + skipped + left);
  $("bar").value = labelled + skipped;
  const each = Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${name} ${count}`);
  $("counted").textContent = [`${labelled} labelled, ${skipped} skipped, ${left} left`, ...each].join(" · ");
  item = state.item;
  $("work").hidden = !item;
  $("end").hidden = Boolean(item);
  if (!item) return;
  const guess = item.guess;
  spans = guess ? guess.spans : [];
  $("note").value = "";
  $("source").value = item.text;
  const sure = guess?.confidence == null ? "" : `, ${Math.round(100 * guess.confidence)}% sure`;
  const said = task.kind === "classes" ? guess?.label : "as marked";
  $("guess").textContent = guess ? `${guess.model} says: ${said}${sure}` : "";
  for (const button of $("labels").children) {
    button.classList.toggle("guessed", button.dataset.label === guess?.label);
  }
  draw();
  (task.kind === "classes" ? $("text") : $("source")).focus();
}

function draw() {
  const points = [...item.text];
  const parts = [];
  let place = 0;
  for (const [start, end] of spans) {
    const marked = document.createElement("mark");
    marked.textContent = points.slice(start, end).join("");
    parts.push(points.slice(place, start).join(""), marked);
    place = end;
  }
  $("text").replaceChildren(...parts, points.slice(place).join(""));
  $("marks").replaceChildren(...spans.map((span) => {
    const words = points.slice(span[0], span[1]).join("");
    const remove = document.createElement("button");
    remove.type = "button";
    remove.textContent = `${words} · ${span[2]} ✕`;
    remove.setAttribute("aria-label", `Remove ${span[2]} “${words}”`);
    remove.onclick = () => { spans = spans.filter((other) => other !== span); draw(); $("source").focus(); };
    const entry = document.createElement("li");
    entry.append(remove);
    return entry;
  }));
}

function mark(label) {
  const source = $("source");
  // The browser counts UTF-16 units.
  let start = [...item.text.slice(0, source.selectionStart)].length;
  let end = [...item.text.slice(0, source.selectionEnd)].length;
  const points = [...item.text];
  while (start < end && !points[start].trim()) start += 1;
  while (end > start && !points[end - 1].trim()) end -= 1;
  if (start === end) {
    $("error").textContent = "Select some words first.";
    $("error").hidden = false;
    return;
  }
  $("error").hidden = true;
  // What overlaps is replaced: marking again is how a mark is corrected.
  spans = [...spans.filter(([from, to]) => to <= start || from >= end), [start, end, label]];
  spans.sort((one, other) => one[0] - other[0]);
  draw();
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || !item) return;
  const target = event.target;
  if (target instanceof HTMLInputElement) {
    if (event.key === "Escape") target.blur();
    return;
  }
  const at = KEYS.indexOf(event.key.toLowerCase());
  if (event.key === "Enter" && task.kind === "tokens" && !(target instanceof HTMLButtonElement)) save();
  else if (event.key === "s") skip();
  else if (event.key === "u") undo();
  else if (at >= 0 && at < task.labels.length) choose(task.labels[at]);
  else return;
  event.preventDefault();
}

async function start() {
  task = await ask("/api/task");
  const classes = task.kind === "classes";
  $("head").textContent = task.head;
  $("ask").textContent = classes ? "What is this text?" : "What is named in this text?";
  $("marking").hidden = classes;
  $("save").hidden = classes;
  $("labels").replaceChildren(...task.labels.map((label, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.dataset.label = label;
    button.append(label);
    if (KEYS[at]) {
      const key = document.createElement("kbd");
      key.textContent = KEYS[at];
      button.append(" ", key);
      button.setAttribute("aria-keyshortcuts", KEYS[at]);
    }
    // The selection in the text must outlive the press.
    button.onmousedown = (event) => event.preventDefault();
    button.onclick = () => choose(label);
    return button;
  }));
  $("save").onclick = save;
  $("skip").onclick = skip;
  $("undo").onclick = $("undo-last").onclick = undo;
  document.addEventListener("keydown", onKey);
  // A readonly field has no caret in some browsers, and without one the keyboard cannot select.
  $("source").addEventListener("beforeinput", (event) => event.preventDefault());
  const name = new URLSearchParams(location.search).get("annotator") ?? localStorage.getItem("annotator");
  $("annotator").value = name || "me";
  $("annotator").onchange = () => {
    localStorage.setItem("annotator", $("annotator").value.trim());
    act("next");
  };
  await act("next");
}

start().catch((error) => { $("error").textContent = error.message; $("error").hidden = false; });
