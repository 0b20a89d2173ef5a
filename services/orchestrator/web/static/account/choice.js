// Which account a visitor of the demo looks as, where the shop's page offers any.
import { ask, session } from "../api.js";
import { $, el } from "../dom.js";
import { t } from "../text.js";

let chosen = "";
let offered = [];

export const account = () => chosen;

/** Who asks, for whatever depends on it. */
export const user = () => ({ sessionId: session(), ...(chosen ? { accountId: chosen } : {}) });

/** Shows what may be chosen; the list stays away where that is nothing. */
export function showAccounts() {
  $("account").replaceChildren(el("option", { value: "" }, t("accountNone")), ...offered.map((id) => el("option", { value: id }, id)));
  $("account").value = chosen;
  $("accounts").hidden = !offered.length;
}

/** Asks what is offered; who may not know is offered nothing. */
export async function offerAccounts() {
  const answer = await ask("accounts", {}).catch(() => ({}));
  offered = answer.accounts ?? [];
  if (!offered.includes(chosen)) chosen = "";
  showAccounts();
}

/** Chooses an account of those that are offered, or none. */
export function useAccount(id) {
  chosen = offered.includes(id) ? id : "";
  $("account").value = chosen;
}
