// The JSON of the service: the messages of the contract in protobuf's JSON form.

/** A refusal of the service, or "NETWORK" where it cannot be reached. */
export class ServiceError extends Error {
  /** `violations` are the fields at fault, each `{ field, description }`. */
  constructor(status, message, violations = []) {
    super(message);
    this.status = status;
    this.violations = violations;
  }
}

// The key of a suite that asks for one, for as long as the tab is open: it opens one shop's data.
let key = sessionStorage.getItem("key") ?? "";

export function useKey(value) {
  key = value;
  sessionStorage.setItem("key", value);
}

async function post(path, body) {
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key ? { "x-api-key": key } : {}) },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw new ServiceError("NETWORK", error.message);
  }
  if (response.ok) return response;
  const { error } = await response.json().catch(() => ({}));
  const violations = (error?.details ?? []).flatMap((detail) => detail.fieldViolations ?? []);
  throw new ServiceError(error?.status ?? "INTERNAL", error?.message ?? response.statusText, violations);
}

export async function ask(path, body) {
  const response = await post(path, body);
  return response.json().catch(() => ({}));
}

/** Yields the messages of a streamed answer as they come; each is an event of its own. */
export async function* stream(path, body) {
  const response = await post(path, body);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let held = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const events = (held + value).split("\n\n");
      held = events.pop();
      for (const event of events) yield JSON.parse(event.slice("data: ".length));
    }
  } catch (error) {
    throw new ServiceError("NETWORK", error.message);
  } finally {
    reader.cancel().catch(() => {});
  }
}

// A visitor keeps one pseudonym per browser, so that "for you" knows what was done.
// crypto.randomUUID is missing where the page comes over plain HTTP from another machine.
const fresh = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");
let id = localStorage.getItem("session");

export function newSession() {
  id = fresh();
  localStorage.setItem("session", id);
}
if (!id) newSession();
export const session = () => id;
