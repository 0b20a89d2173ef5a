// A small box over the page with what belongs to the words under the pointer. Nothing moves to make
// room for it; who has no pointer presses the words instead.
import { el } from "./dom.js";

const GAP = 6;
let box = null;

export function closePeek() {
  if (box?.matches(":popover-open")) box.hidePopover();
}

function show(node, content) {
  if (!HTMLElement.prototype.showPopover) return; // pressing the words still tells
  box ??= document.body.appendChild(el("div", { id: "peek", popover: "manual", role: "tooltip" }));
  box.replaceChildren(...content);
  box.showPopover();
  const words = node.getClientRects()[0];
  const own = box.getBoundingClientRect();
  const below = node.getBoundingClientRect().bottom + GAP;
  const top = below + own.height > innerHeight ? words.top - own.height - GAP : below;
  box.style.left = `${Math.max(GAP, Math.min(words.left, innerWidth - own.width - GAP))}px`;
  box.style.top = `${Math.max(GAP, top)}px`;
}

/** Shows what `content()` returns, a list of elements, while a mouse points at a node. */
export function peekAt(node, content) {
  node.addEventListener("pointerenter", (event) => {
    if (event.pointerType === "mouse") show(node, content());
  });
  for (const name of ["pointerleave", "click"]) node.addEventListener(name, closePeek);
}

addEventListener("scroll", closePeek, { capture: true, passive: true });
