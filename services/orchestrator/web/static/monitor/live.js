// Follows alerts for as long as the page is open, and comes back where it left off.
import { stream } from "../api.js";

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;
// Asking again brings no other answer to these.
const FINAL = ["FAILED_PRECONDITION", "UNAUTHENTICATED", "PERMISSION_DENIED", "INVALID_ARGUMENT"];

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * Follows alerts that show in one of `series`, all where there are none, until the returned function is called.
 *
 * `on.state(state, error)` is told "connecting", "live", "broken" and "refused"; `on.notice(notice)` each notice.
 */
export function follow(series, on) {
  let wanted = true;
  let place = -1;
  const run = async () => {
    let waiting = FIRST_PAUSE_MS;
    on.state("connecting");
    while (wanted) {
      let failure = null;
      try {
        for await (const part of stream("insight/alerts/stream", { series, afterSequence: String(place) })) {
          if (!wanted) return;
          place = Number(part.sequence ?? 0);
          if (part.notice) on.notice(part.notice);
          else on.state("live");
          waiting = FIRST_PAUSE_MS;
        }
      } catch (error) {
        failure = error;
      }
      if (!wanted) return;
      if (FINAL.includes(failure?.status)) {
        on.state("refused", failure);
        return;
      }
      on.state("broken", failure);
      await pause(waiting);
      waiting = Math.min(waiting * 2, LONGEST_PAUSE_MS);
    }
  };
  run();
  return () => {
    wanted = false;
  };
}
