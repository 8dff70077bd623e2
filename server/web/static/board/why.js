// After a move by hand: what it costs, and why it was made. Nobody has to say; the question goes away by itself.

import { post } from "./api.js";
import { byId, h } from "./dom.js";

const REASONS = {
  customer_asked: "Customer asked",
  knows_place: "Knows the place",
  technician_asked: "Technician asked",
  tools_or_parts: "Has the tools or parts",
  urgent: "Urgent",
  other: "Another reason",
};
const STAYS_MS = 20000;
let asked = null;

export function askWhy(number, override, toast) {
  asked?.remove();
  if (!override?.pinned) return;
  const box = h("form", { class: "toast why-asked", "aria-label": `Why ${number} was moved` });
  const gone = setTimeout(() => box.contains(document.activeElement) || box.remove(), STAYS_MS);
  const tell = async (what, body, done) => {
    try {
      await post(`/api/overrides/${override.id}/${what}`, body);
      toast(done);
    } catch (refusal) {
      toast(refusal.message, "bad");
    }
    clearTimeout(gone);
    box.remove();
  };
  const note = h("input", { name: "note", maxlength: "200", autocomplete: "off", "aria-label": `Note on ${number}`, placeholder: "in your words" });
  const say = (reason) => tell("reason", { reason, note: note.value }, `Kept with ${number}.`);
  box.append(
    h("p", {}, h("b", {}, `${number} is pinned: plans keep to it.`), costs(override.cost_minor)),
    ...override.breaks.map((rule) => h("p", { class: "warning" }, rule)),
    h("p", { class: "choices" }, "Why? ", Object.entries(REASONS).map(([code, words]) => h("button", { type: "button", onclick: () => say(code) }, words)), note),
    h(
      "p",
      { class: "choices" },
      h("button", { type: "button", class: "quiet", onclick: () => tell("release", undefined, `${number} is left to the next plan.`) }, "Don't pin it"),
      h("button", { type: "button", class: "quiet", onclick: () => box.remove() }, "Say nothing"),
    ),
  );
  box.addEventListener("submit", (event) => { event.preventDefault(); say(note.value ? "other" : ""); });
  box.addEventListener("keydown", (event) => event.key === "Escape" && box.remove());
  asked = box;
  byId("toasts").append(box);
}

function costs(minor) {
  const total = minor?.total;
  if (!total) return "";
  return total > 0 ? ` It costs ${(total / 100).toFixed(2)} more.` : ` It saves ${(-total / 100).toFixed(2)}.`;
}
