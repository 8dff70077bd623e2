// What waits for the dispatcher: work that the server could not book, and jobs that nobody has.

import { byId, h, icon } from "./dom.js";
import { KINDS, PRIORITIES, REASONS, clock, inFull, minutes, promised } from "./words.js";

const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1);

// What one person did on one job and was held for one reason is one decision.
function together(cards) {
  const decisions = new Map();
  for (const card of cards) {
    const key = card.work_order_id ? [card.who, card.work_order_id, card.detail].join("\n") : card.id;
    decisions.set(key, [...(decisions.get(key) || []), card]);
  }
  return [...decisions.values()];
}

export class Lists {
  constructor(store, { open, toast, mayDispatch, mend }) {
    Object.assign(this, { store, open, toast, mayDispatch, mend });
  }

  draw() {
    this.drawHeld();
    this.drawDrift();
    this.drawUnassigned();
  }

  drawHeld() {
    const decisions = together([...this.store.held.values()]);
    byId("held-count").textContent = decisions.length;
    byId("held-panel").classList.toggle("has-some", decisions.length > 0);
    byId("held").replaceChildren(
      ...(decisions.length
        ? decisions.map((cards) => this.held(cards))
        : [h("li", { class: "none" }, "Nothing waits for a decision.")]),
    );
  }

  held(cards) {
    const [card] = cards;
    const job = card.number ? ` on ${card.number}` : "";
    const one = cards.length === 1;
    return h(
      "li",
      { class: "held-card" },
      h("p", { class: "held-what" }, h("strong", {}, card.who), one ? ` wanted to ${card.wanted}${job}` : ` did ${cards.length} things${job}`),
      one ? null : h("ul", { class: "held-list" }, cards.map(({ wanted }) => h("li", {}, sentence(wanted)))),
      h("p", { class: "held-why" }, `${card.detail}.`.replace(/\.\.$/, ".")),
      h(
        "p",
        { class: "held-tools" },
        h("time", { datetime: card.happened_at }, clock(card.happened_at)),
        card.work_order_id ? h("button", { class: "quiet", onclick: () => this.open(card.work_order_id) }, "Open the job") : null,
        this.mayDispatch ? h("a", { href: one ? `/inbox/${card.id}` : `/inbox?order=${card.work_order_id}` }, "Decide") : null,
      ),
    );
  }

  // A technician who runs late makes several visits drift: that is one card, before a window is missed.
  drawDrift() {
    const late = new Map();
    for (const verdict of this.store.verdicts.values()) {
      const order = this.store.order(verdict.id);
      if (!order?.technician_id || !verdict.drift_minutes) continue;
      late.set(order.technician_id, [...(late.get(order.technician_id) || []), { order, verdict }]);
    }
    byId("drift-count").textContent = late.size;
    byId("drift-panel").hidden = late.size === 0;
    byId("drift-panel").classList.toggle("has-some", late.size > 0);
    const most = (visits) => Math.max(...visits.map(({ verdict }) => verdict.drift_minutes));
    const cards = [...late].sort(([, a], [, b]) => most(b) - most(a));
    byId("drift").replaceChildren(...cards.map(([id, visits]) => this.drift(this.store.technicians.get(id), visits, most(visits))));
  }

  drift(technician, visits, most) {
    const missed = visits.filter(({ verdict }) => verdict.level === "late").length;
    const tight = visits.filter(({ verdict }) => verdict.level === "at_risk").length;
    const what = [
      `${visits.length} ${visits.length === 1 ? "visit" : "visits"} later than planned`,
      missed ? `${missed} after the promised time` : "",
      tight ? `${tight} tight` : "",
      missed || tight ? "" : "every promise still kept",
    ];
    visits.sort((a, b) => (a.verdict.expected_arrival < b.verdict.expected_arrival ? -1 : 1));
    return h(
      "li",
      { class: `drift-card l-${missed ? "late" : tight ? "at_risk" : "fine"}` },
      h("p", {}, h("strong", {}, technician?.name || "Somebody"), ` is up to ${minutes(most)} behind`),
      h("p", { class: "soft" }, `${what.filter(Boolean).join(", ")}.`),
      h(
        "p",
        { class: "held-tools" },
        visits.slice(0, 3).map(({ order, verdict }) => h("button", { class: "quiet", title: verdict.words, onclick: () => this.open(order.id) }, order.number)),
        h("span", { class: "spacer" }),
        this.mayDispatch ? h("button", { class: "quiet", onclick: () => this.mend() }, "Mend the day") : null,
      ),
    );
  }

  drawUnassigned() {
    const orders = this.store.unassigned();
    const focused = document.activeElement?.closest("#unassigned")?.querySelector(":focus")?.dataset.job;
    byId("unassigned-count").textContent = orders.length;
    byId("unassigned").replaceChildren(
      ...(orders.length ? orders.map((order) => this.unassigned(order)) : [h("li", { class: "none" }, "Every job has a technician.")]),
    );
    if (focused) byId("unassigned").querySelector(`[data-job="${focused}"]`)?.focus({ preventScroll: true });
  }

  unassigned(order) {
    const verdict = this.store.verdicts.get(order.id);
    const level = verdict?.level || "fine";
    const fresh = (this.store.fresh.get(order.id) || 0) > Date.now();
    const urgent = order.priority <= 2;
    return h(
      "li",
      {},
      h(
        "button",
        {
          class: `unassigned-card l-${level}${fresh ? " fresh" : ""}${this.store.selected === order.id ? " selected" : ""}`,
          data: { job: order.id },
          "aria-label": inFull(order, verdict, this.store.board),
          onclick: () => this.open(order.id),
        },
        h(
          "span",
          { class: "line" },
          order.priority === 1 ? icon("emergency") : null,
          order.links?.length ? icon("link") : null,
          h("strong", {}, KINDS[order.kind]),
          ` ${order.number}`,
          urgent ? h("em", { class: "urgent" }, PRIORITIES[order.priority]) : null,
          h("span", { class: "promise" }, promised(order, this.store.board)),
        ),
        h("span", { class: "line soft" }, order.address),
        h("span", { class: "line reason" }, sentence(whyNobody(order))),
        level !== "fine" ? h("span", { class: `line ${level}` }, verdict.words) : null,
      ),
    );
  }
}

function whyNobody(order) {
  if (order.state !== "unfinished") return order.left_out?.reason || "Just taken off";
  const why = REASONS[order.unfinished_reason] || "not completed";
  return `visited ${clock(order.finished_at)}, ${why}: agree on a new visit with the customer`;
}
