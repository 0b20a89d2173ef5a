// The JSON of the service: the messages of the contract in protobuf's JSON form.
export async function ask(path, body) {
  const response = await fetch(`/api/${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.error?.message ?? response.statusText);
  return answer;
}
// A visitor keeps one pseudonym per browser, so that "for you" knows what was done.
let id = localStorage.getItem("session");
if (!id) { id = crypto.randomUUID?.() ?? String(Math.random()).slice(2); localStorage.setItem("session", id); }
export const session = id;
