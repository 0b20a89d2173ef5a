// The JSON of the service: the messages of the contract in protobuf's JSON form.

/** A refusal of the service, or "NETWORK" where it cannot be reached. */
export class ServiceError extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function ask(path, body) {
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  } catch (error) {
    throw new ServiceError("NETWORK", error.message);
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) {
    throw new ServiceError(answer.error?.status ?? "INTERNAL", answer.error?.message ?? response.statusText);
  }
  return answer;
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
