// The chat page: a conversation with customer service, each answer with what it rests on.
import { ask, session, stream } from "../api.js";
import { $, el } from "../dom.js";
import { failure, meaning } from "../failure.js";
import { frameWords } from "../frame.js";
import { switchLanguage, t } from "../text.js";
import { answerBox } from "./answer.js";

const TOAST_MS = 2600;
const talk = { id: "", turns: [], busy: false };
let toasting = 0;

function say(text) {
  $("toast").textContent = text;
  $("toast").classList.add("on");
  clearTimeout(toasting);
  toasting = setTimeout(() => $("toast").classList.remove("on"), TOAST_MS);
}

const user = () => ({ sessionId: session() });
const theirs = (...content) => el("article", { class: "turn theirs" }, el("h2", { class: "hidden" }, t("chatThem")), content);

/** Tells the service what became of an answer; returns whether it is noted. */
async function judge(turn, verdict, given) {
  try {
    await ask("assistant/record", { question: turn.question, verdict: `VERDICT_${verdict}`, user: user(), ...given });
    return true;
  } catch (error) {
    say(meaning(error, t("chatErrors")) ?? error.message);
    return false;
  }
}

function answered(turn) {
  return answerBox(turn.response, {
    judge: (verdict, given) => judge(turn, verdict, given),
    choose: (option) => send(option),
  });
}

function shown(turn) {
  const mine = el("article", { class: "turn mine" }, el("h2", { class: "hidden" }, t("chatYou")), el("p", {}, turn.question));
  const again = () => reply(turn);
  if (turn.response) turn.place = theirs(answered(turn));
  else if (turn.error) turn.place = theirs(failure(turn.error, again, t("chatErrors")));
  else turn.place = theirs(el("p", { class: "coming" }, t("chatWriting")));
  return [mine, turn.place];
}

function show() {
  $("talk").replaceChildren(...talk.turns.flatMap(shown));
  $("talk").scrollTop = $("talk").scrollHeight;
}

/** Puts what became of a message in its place. */
function put(turn, ...content) {
  if (!turn.place?.isConnected) return; // the conversation was begun anew
  const place = theirs(content);
  turn.place.replaceWith(place);
  turn.place = place;
  place.scrollIntoView({ block: "nearest" });
}

async function reply(turn) {
  if (talk.busy) return;
  talk.busy = true;
  turn.error = null;
  $("talk").setAttribute("aria-busy", "true");
  put(turn, el("p", { class: "coming" }, t("chatWriting")));
  try {
    const request = { question: turn.question, conversationId: talk.id, user: user() };
    for await (const part of stream("assistant/converse", { request })) {
      turn.response = part.response;
      if (talk.turns.includes(turn)) talk.id = part.response.conversationId;
      put(turn, answered(turn));
    }
    if (!turn.response) throw Object.assign(new Error("the stream ended"), { status: "NETWORK" });
  } catch (error) {
    turn.error = error;
    put(turn, failure(error, () => reply(turn), t("chatErrors")));
  } finally {
    talk.busy = false;
    $("talk").removeAttribute("aria-busy");
  }
}

function send(question) {
  if (talk.busy || !question.trim()) return;
  const turn = { question: question.trim(), response: null, error: null, place: null };
  talk.turns.push(turn);
  $("talk").append(...shown(turn));
  $("message").value = "";
  $("message").focus();
  reply(turn);
}

async function startOver() {
  const { id } = talk;
  Object.assign(talk, { id: "", turns: [] });
  show();
  $("message").focus();
  if (!id) return;
  try {
    await ask("assistant/end", { conversationId: id, user: user() });
    say(t("chatForgotten"));
  } catch (error) {
    say(meaning(error, t("chatErrors")) ?? error.message);
  }
}

function words() {
  frameWords();
  document.title = `${t("chatTitle")} · Wherefore`;
  $("message").placeholder = t("chatPlaceholder");
  $("examples").replaceChildren(...t("chatExamples").map((q) => el("button", { type: "button", onclick: () => send(q) }, q)));
  show();
}

$("say").addEventListener("submit", (event) => {
  event.preventDefault();
  send($("message").value);
});
$("again").addEventListener("click", startOver);
$("language").addEventListener("click", () => {
  switchLanguage();
  words();
});
words();
$("message").focus();
