// When the customer would like the visit: a wish beside the promise, weighed by the policy's price.

import { post } from "./api.js";
import { h } from "./dom.js";
import { clock, shortDay, span } from "./words.js";

export const preferredWords = (preferred) => (preferred ? `${shortDay(preferred.start)} ${span(preferred.start, preferred.end)}` : "");

// The fold in the panel; `show` draws the panel anew.
export function prefersForm(store, order, found, { toast, show }) {
  const { preferred } = found;
  const price = (found.unpreferred_minor / 100).toFixed(2);
  const at = (time) => {
    const [hours, mins] = time.split(":").map(Number);
    return new Date(+new Date(store.board.day_start) + (hours * 60 + mins) * 60000).toISOString();
  };
  const tell = async (body, done) => {
    try {
      await post(`/api/work-orders/${order.id}/prefer`, body);
      document.activeElement?.blur();
      toast(done);
      show(order.id);
    } catch (refusal) {
      toast(refusal.message, "bad");
    }
  };
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    tell({ start: at(form.get("from")), end: at(form.get("until")) }, `${order.number}: the wish is written down.`);
  };
  const time = (name, label, value) => h("label", {}, label, h("input", { type: "time", name, step: "300", required: true, value: value ? clock(value) : undefined }));
  return h(
    "details",
    { class: "prefers" },
    h("summary", {}, preferred ? "Change the preferred time…" : "The customer would like a time…"),
    h(
      "form",
      { class: "link-form", onsubmit: submit, "aria-label": "Preferred time" },
      time("from", "Preferred from", preferred?.start),
      time("until", "Preferred until", preferred?.end),
      h("p", { class: "hint" }, `On ${shortDay(store.board.day_start)}. No promise: each minute outside costs a plan ${price}.`),
      h("p", { class: "prefers-tools" }, h("button", { class: "main" }, "Write it down"), preferred ? h("button", { type: "button", onclick: () => tell({}, `${order.number}: no time is preferred any more.`) }, "Forget it") : null),
    ),
  );
}
