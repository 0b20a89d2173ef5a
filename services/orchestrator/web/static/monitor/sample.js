// Eight hours of made-up reviews with two surges of complaints, written for this page.
import { ask } from "../api.js";
import { SHOP, SURGES, USUAL } from "./sample_texts.js";

const HOURS = 8;
const MINUTE_MS = 60_000;
const GAP_MS = 20_000;
const BATCH = 100;

/** Numbers in [0, 1) that are the same each time (mulberry32). */
function drawing(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Returns the texts of the sample in order, the last of them written at `end` (milliseconds). */
export function sampleOf(end) {
  const draw = drawing(20261128);
  const pick = (list) => list[Math.floor(draw() * list.length)];
  const posts = [];
  const add = (at, product, text) => posts.push({ at, text, productId: product.id, brand: product.brand });
  for (let at = end - HOURS * 60 * MINUTE_MS; at < end; at += GAP_MS * (0.5 + draw())) {
    const kind = draw();
    add(at, pick(SHOP), pick(kind < 0.14 ? USUAL.negative : kind < 0.26 ? USUAL.neutral : USUAL.positive));
  }
  for (const surge of SURGES) {
    const product = SHOP.find((each) => each.id === surge.product);
    for (let n = 0; n < surge.count; n += 1) {
      add(end + (surge.begin + ((surge.end - surge.begin) * n) / surge.count) * MINUTE_MS, product, pick(surge.texts));
    }
  }
  posts.sort((a, b) => a.at - b.at);
  return posts.map(({ at, ...post }, place) => ({ id: `sample-${end}-${place}`, eventTime: new Date(at).toISOString(), ...post }));
}

/** Sends the sample; `tell(done, all)` after each part. */
export async function playSample(tell) {
  const posts = sampleOf(Date.now());
  for (let at = 0; at < posts.length; at += BATCH) {
    await ask("insight/ingest", { posts: posts.slice(at, at + BATCH) });
    tell(Math.min(at + BATCH, posts.length), posts.length);
  }
}
