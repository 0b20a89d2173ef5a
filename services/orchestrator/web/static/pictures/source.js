// The picture that is searched by: chosen, dropped or pasted by the visitor, or that of a product.
import { $, el } from "../dom.js";
import { picture } from "../picture.js";
import { t } from "../text.js";

// A larger file is not even read. All else is for the service to judge, which says what is wrong with it.
const MOST_BYTES = 10 * 2 ** 20;
let source = null;
let changed = () => {};

export const current = () => source;

export const said = (id, text) => $(id).replaceChildren(...[text].flat().filter(Boolean));

function show() {
  const drawn = source?.product && (source.address ? el("img", { src: source.address, alt: "" }) : picture(source.product));
  // A file that is no picture has no preview, and its name is shown alone.
  const own = source?.file && el("img", { src: source.address, alt: "", onerror: (event) => event.target.remove() });
  const name = source?.file ? `${t("picturesYours")}: ${source.file.name}` : source?.product ? t("picturesOf")(source.title) : "";
  $("shown").replaceChildren(...[drawn, own, name && el("p", { class: "of" }, name)].filter(Boolean));
  $("away").hidden = !source;
}

/** Shows the picture's words anew, as when the language changes. */
export const refresh = show;

function put(next) {
  source = next;
  said("picture-error", "");
  show();
  changed();
}

/** Searches by the picture of a product; `address` is its thumbnail, where it has one. */
export const useProduct = (product, title, address) => put({ product, title, address });

async function useFile(file) {
  if (file.size > MOST_BYTES) {
    said("picture-error", t("picturesTooLarge")((file.size / 2 ** 20).toFixed(1)));
    return;
  }
  const reader = new FileReader();
  reader.addEventListener("error", () => said("picture-error", t("picturesUnreadable")));
  reader.addEventListener("load", () => put({ file, address: reader.result }));
  reader.readAsDataURL(file);
}

/** The part of a request that names the picture. */
export function asked() {
  if (source?.product) return { productId: source.product.id };
  // "data:" stands alone where a file is empty.
  return source ? { picture: { frames: [source.address.split(",")[1] ?? ""] } } : {};
}

/** Begins to take pictures; `on` is called whenever there is another, or none. */
export function begin(on) {
  changed = on;
  $("file").addEventListener("change", () => {
    if ($("file").files[0]) useFile($("file").files[0]);
    $("file").value = ""; // the same file may be chosen again
  });
  $("away").addEventListener("click", () => {
    put(null);
    $("file").focus();
  });
  document.addEventListener("paste", (event) => {
    const file = event.clipboardData?.files[0];
    if (!file) return; // words go where the caret is
    event.preventDefault();
    useFile(file);
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    $("drop").classList.add("over");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) $("drop").classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    $("drop").classList.remove("over");
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    event.preventDefault();
    useFile(file);
  });
}
