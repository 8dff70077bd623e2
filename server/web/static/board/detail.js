// The panel about one job: facts, why this technician, what the visit recorded, and what one can do about it.

import { get, post } from "./api.js";
import { byId, fill, h, icon } from "./dom.js";
import { Links } from "./links.js";
import { preferredWords, prefersForm } from "./prefers.js";
import { KINDS, PRIORITIES, REASONS, STATES, clock, isLocked, isOver, minutes, promised, shortDay, span } from "./words.js";

const SLOTS_SHOWN = 8; // the cheapest

export class Detail {
  constructor(store, { close, open, toast, mover, mayDispatch }) {
    Object.assign(this, { store, close, toast, mover, mayDispatch });
    this.links = new Links(store, { open, toast, show: (id) => this.show(id), mayDispatch });
    this.panel = byId("detail");
    this.shown = null;
    this.asked = 0;
    this.panel.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
  }

  async show(id) {
    const changed = this.shown !== id;
    this.shown = id;
    this.panel.hidden = id === null;
    if (id === null) return;
    const asked = ++this.asked;
    if (changed) this.panel.replaceChildren(h("p", { class: "loading" }, "Loading…"));
    try {
      const found = await get(`/api/work-orders/${id}`);
      if (asked === this.asked && this.shown === id) this.draw(found, changed);
    } catch (refusal) {
      if (asked === this.asked) this.panel.replaceChildren(this.closeButton(), h("p", { class: "loading" }, refusal.message));
    }
  }

  // Something about the shown job changed.
  refresh() {
    if (this.shown && !this.panel.contains(document.activeElement?.closest?.("form"))) this.show(this.shown);
  }

  closeButton() {
    return h("button", { class: "quiet close", "aria-label": "Close", onclick: () => this.close() }, "✕");
  }

  draw(found, focus) {
    const { order } = found;
    const card = this.store.order(order.id);
    const verdict = this.store.verdicts.get(order.id);
    const technician = found.people[order.technician_id];
    const scrolled = focus ? 0 : this.panel.scrollTop;
    const title = h("h2", { tabindex: "-1" }, `${KINDS[order.kind]} ${order.number}`);
    fill(
      this.panel,
      h("header", {}, title, this.closeButton()),
      h(
        "p",
        { class: "chips" },
        h("span", { class: `chip s-${order.state}` }, icon(order.state), STATES[order.state]),
        order.priority <= 2 ? h("span", { class: "chip l-late" }, PRIORITIES[order.priority]) : null,
        verdict && verdict.level !== "fine" ? h("span", { class: `chip l-${verdict.level}` }, verdict.words) : null,
      ),
      h("p", { class: "summary" }, order.summary),
      facts([
        ["Customer", `${order.contact.name}, ${order.contact.phone}`],
        ["Address", [order.place.street, order.place.house_number].join(" ").trim() + (order.place.city ? `, ${order.place.city}` : "")],
        ["Access", order.place.access_notes],
        ["Promised", card ? promised(card, this.store.board) : span(order.window?.start, order.window?.end)],
        ["Prefers", preferredWords(found.preferred)],
        ["SLA due", order.sla_due_at ? `${shortDay(order.sla_due_at)} ${clock(order.sla_due_at)}` : ""],
        ["Technician", technician],
        ["Planned", order.planned_start ? `${span(order.planned_start, order.planned_end)}, ${order.travel_minutes} min of travel before` : ""],
        ["By hand", found.decided],
        ["Set out", order.travel_started_at ? clock(order.travel_started_at) : ""],
        ["Arrived", order.arrived_at ? clock(order.arrived_at) : ""],
        ["Paused", order.pauses.map((one) => `${clock(one.started_at)}–${one.ended_at ? clock(one.ended_at) : "now"} ${one.reason.replaceAll("_", " ")}`).join(", ")],
        ["Finished", this.finished(order, found)],
        ["Needs", order.required_skills.map((need) => `${need.name.replaceAll("_", " ")} level ${need.level}`).join(", ")],
        ["Left out", card?.left_out?.reason],
      ]),
      this.links.section(order, found, isLocked(order)),
      section("Why this technician", technician ? reasons(found.why) : null),
      section("Visit record", this.record(found)),
      section("What was done", this.deeds(found)),
      h("p", {}, h("a", { href: found.customer_link, target: "_blank", rel: "noopener" }, "The customer's page")),
      this.mayDispatch && !isOver(order.state) ? this.actions(order, found) : null,
    );
    this.panel.scrollTop = scrolled;
    if (focus) title.focus({ preventScroll: true });
  }

  finished(order, found) {
    if (!order.finished_at) return "";
    const freed = found.freed_minutes > 0 ? `, ${minutes(found.freed_minutes)} earlier than planned` : "";
    const why = order.unfinished_reason ? `, ${REASONS[order.unfinished_reason] || order.unfinished_reason}` : "";
    return `${clock(order.finished_at)}${freed}${why}`;
  }

  record({ order, products, people }) {
    const name = (sku) => products[sku] || sku;
    const lines = [
      ...order.fitted.map((one) => `Installed ${name(one.sku)}, serial ${one.serial}${one.replaces ? `, in the place of ${one.replaces}` : ""}`),
      ...order.removed.map((one) => `Took off ${name(one.sku)}, serial ${one.serial}${why(one)}`),
      ...order.failed.map((one) => `Did not work: ${name(one.sku)}, serial ${one.serial}${why(one)}`),
      ...order.checks.map((one) => `${itemOf(order, one.code)}: ${one.value} ${one.unit}${one.passed ? "" : " – outside its limits"}`),
      ...order.answers.map((one) => answerLine(order, one)),
      ...order.parts.map((one) => `${one.quantity} × ${name(one.sku)}`),
      ...order.time_corrections.map((one) => `Corrected ${one.point.replaceAll("_", " ")} from ${clock(one.base)} to ${clock(one.value)}: ${one.reason} (${people[one.by] || "technician"}, ${clock(one.at)})`),
      ...evidence(order),
      ...order.notes.map((one) => `${people[one.author_id] || "Note"}, ${clock(one.at)}: ${one.text}`),
    ];
    return lines.length ? h("ul", {}, lines.map((line) => h("li", {}, line))) : null;
  }

  deeds({ deeds }) {
    if (!deeds.length) return null;
    return h(
      "ol",
      { class: "deeds" },
      deeds.map((deed) =>
        h(
          "li",
          {},
          h("time", { datetime: deed.at }, clock(deed.at)),
          ` ${deed.who}: ${deed.wanted}`,
          deed.outcome === "accepted" ? null : h("span", { class: "warning" }, ` – ${deed.outcome}: ${deed.detail || ""}`),
          deed.remarks.map((remark) => h("span", { class: "remark" }, remark)),
        ),
      ),
    );
  }

  // --- what one can do

  actions(order, found) {
    const locked = isLocked(order);
    const cancel = h(
      "details",
      { class: "cancel" },
      h("summary", {}, "Cancel this job…"),
      h(
        "form",
        { onsubmit: (event) => this.cancel(event, order) },
        h("label", {}, "Why", h("input", { name: "reason", required: true, maxlength: "200", autocomplete: "off" })),
        h("button", { class: "danger" }, "Cancel the job"),
      ),
    );
    if (locked) {
      return h("div", { class: "actions" }, h("p", { class: "hint" }, icon("lock"), "It has been started, so it cannot be moved."), cancel);
    }
    const people = [...this.store.technicians.values()];
    const start = order.planned_start || this.store.board.generated_at;
    const move = h(
      "form",
      { class: "move", onsubmit: (event) => this.move(event, order) },
      h(
        "label",
        {},
        "Technician",
        h(
          "select",
          { name: "technician" },
          people.map((one) => h("option", { value: one.id, selected: one.id === order.technician_id }, one.name)),
        ),
      ),
      h("label", {}, "Start", h("input", { type: "time", name: "at", step: "300", required: true, value: clock(start) })),
      h("button", { class: "main" }, order.technician_id ? "Move" : "Assign"),
      order.technician_id ? h("button", { type: "button", onclick: () => this.mover.unassign(order.id) }, "Take off") : null,
      order.technician_id ? h("button", { type: "button", class: "quiet", onclick: () => this.mover.unassign(order.id, true) }, "Keep out of the plan") : null,
    );
    return h("div", { class: "actions" }, move, this.places(order), this.slots(order), prefersForm(this.store, order, found, { toast: this.toast, show: (id) => this.show(id) }), cancel);
  }

  // A time to agree on with the customer: only what can be kept, and held while one talks.
  slots(order) {
    const found = h("ul", { class: "places", "aria-live": "polite" });
    const ask = h("button", { type: "button", class: "quiet", onclick: () => this.findSlots(order, ask, found) }, "Agree on another time");
    return h("div", {}, ask, found);
  }

  async findSlots(order, ask, found, said = "") {
    ask.disabled = true;
    try {
      const { slots } = await post("/api/slots", { work_order_id: order.id });
      fill(
        found,
        said ? h("li", { class: "warning" }, said) : null,
        slots.slice(0, SLOTS_SHOWN).map((slot) => h("li", {}, h("button", { type: "button", onclick: () => this.hold(order, slot, ask, found) }, slotWords(slot), slot.near ? " – we are near then" : ""))),
        slots.length ? null : h("li", {}, "No time can be kept in the next days."),
      );
    } catch (refusal) {
      fill(found, h("li", {}, refusal.message));
    } finally {
      ask.disabled = false;
    }
  }

  async hold(order, slot, ask, found) {
    try {
      const held = await post("/api/slots/holds", { key: `${order.id} ${slot.start} ${Date.now()}`, start: slot.start, end: slot.end, work_order_id: order.id });
      const end = async (what) => {
        try {
          await post(`/api/slots/holds/${held.id}/${what}`);
          fill(found);
          if (what === "confirm") this.toast(`${order.number} is promised for ${slotWords(slot)}.`);
        } catch (refusal) {
          this.findSlots(order, ask, found, refusal.message);
        }
      };
      fill(
        found,
        h("li", {}, h("span", {}, `${slotWords(slot)} is kept free until ${clock(held.expires_at)}.`), h("span", { class: "held-slot" }, h("button", { type: "button", class: "main", onclick: () => end("confirm") }, "The customer agrees"), h("button", { type: "button", onclick: () => end("give-back") }, "Give it back"))),
      );
    } catch (refusal) {
      this.findSlots(order, ask, found, refusal.message);
    }
  }

  // Where the scheduler would put it, without moving anybody's promise more than it must.
  places(order) {
    const found = h("ul", { class: "places" });
    const ask = h("button", { type: "button", class: "quiet", onclick: () => this.findPlaces(order, ask, found) }, "Find the best places");
    return h("div", {}, ask, found);
  }

  async findPlaces(order, ask, found) {
    ask.disabled = true;
    try {
      const { places, rearranged, against } = await get(`/api/work-orders/${order.id}/insertions?day=${this.store.day}`);
      const take = (place) => this.mover.assign(order.id, place.technician_id, +new Date(place.planned_start), false);
      fill(
        found,
        places.map((place) => h("li", {}, h("span", {}, place.sentence), h("button", { type: "button", onclick: () => take(place) }, `${clock(place.planned_start)} ${place.technician}`))),
        rearranged ? this.rearranged(rearranged) : null,
        places.length || rearranged ? null : h("li", {}, against ? `${against}.` : "Nobody who is able has a place left."),
      );
    } catch (refusal) {
      fill(found, h("li", {}, refusal.message));
    } finally {
      ask.disabled = false;
    }
  }

  // Nobody has a place, but others could make one: who would have to move.
  rearranged({ choice, moved, told, sentence }) {
    const others = moved === 1 ? "Move one other visit" : `Move ${moved} other visits`;
    const tell = told ? `, tell ${told === 1 ? "one customer" : `${told} customers`}` : "";
    const take = async () => {
      try {
        await post("/api/mend", choice);
      } catch (refusal) {
        this.toast(refusal.message, "bad");
      }
    };
    return h("li", {}, h("span", {}, sentence), h("button", { type: "button", onclick: take }, `${others}${tell}`));
  }

  move(event, order) {
    event.preventDefault();
    const form = new FormData(event.target);
    const [hours, mins] = form.get("at").split(":").map(Number);
    const at = +new Date(this.store.board.day_start) + (hours * 60 + mins) * 60000;
    document.activeElement?.blur();
    this.mover.assign(order.id, form.get("technician"), at);
  }

  async cancel(event, order) {
    event.preventDefault();
    const reason = new FormData(event.target).get("reason");
    document.activeElement?.blur();
    try {
      await post(`/api/work-orders/${order.id}/cancel`, { reason });
    } catch (refusal) {
      this.toast(refusal.message, "bad");
    }
  }
}

const slotWords = (slot) => `${shortDay(slot.start)} ${span(slot.start, slot.end)}`;

function facts(pairs) {
  return h(
    "dl",
    {},
    pairs.filter(([, value]) => value).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]),
  );
}

function section(title, content) {
  return content ? h("section", {}, h("h3", {}, title), content) : null;
}

function itemOf(order, code) {
  return order.checklist?.items.find((item) => item.code === code)?.label || code.replaceAll("_", " ");
}

function answerLine(order, one) {
  const item = order.checklist?.items.find((item) => item.code === one.code);
  if (one.skipped) return `${itemOf(order, one.code)}: left out, ${one.skipped.replaceAll("_", " ")}${one.value ? ` (${one.value})` : ""}`;
  const said = item?.choices.find((choice) => choice.code === one.value)?.label || one.value;
  return `${itemOf(order, one.code)}: ${said}${one.passed ? "" : " – not as it should be"}`;
}

// Why a device came off: the cause, and the technician's own words.
function why(one) {
  const said = [one.cause && one.cause.replaceAll("_", " "), one.reason].filter(Boolean).join(", ");
  return said ? ` (${said})` : "";
}

// Each opens in a page of its own; bytes that are still on the phone say so there.
function evidence(order) {
  return order.evidence.map((one) => {
    const of = one.check ? ` of “${itemOf(order, one.check)}”` : "";
    const words = one.kind === "signature" ? `Signed by ${one.signer || "the customer"}` : `Photo${of}, ${clock(one.taken_at)}`;
    const link = h("a", { href: `/api/attachments/${one.digest}`, target: "_blank", rel: "noopener" }, words);
    return one.lat == null ? link : h("span", {}, link, `, ${metresFrom(one, order.place)} m from the address (±${Math.round(one.accuracy_m)} m)`);
  });
}

// As shared/work_orders.py has it.
function metresFrom(spot, place) {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const east = radians(spot.lon - place.lon) * Math.cos(radians(spot.lat + place.lat) / 2);
  return Math.round(6_371_000 * Math.hypot(radians(spot.lat - place.lat), east));
}

// The scheduler says why in values of its own; shown as they are, whatever they are called.
const WHY_WORDS = { parts: "cost", runner_up: "next best" };

function reasons(why) {
  const said = why?.sentence; // it names the cost and the next best already
  const lines = Object.entries(said ? { sentence: said } : why || {}).map(([name, value]) => {
    const text = Array.isArray(value) ? value.map(plain).join(", ") : plain(value);
    const sentence = ["sentence", "text", "why", "reason", "words"].includes(name);
    return h("li", {}, sentence ? text : `${WHY_WORDS[name] || name.replaceAll("_", " ")}: ${text}`);
  });
  return lines.length ? h("ul", {}, lines) : null;
}

function plain(value) {
  if (value === true) return "yes";
  if (value === false) return "no";
  if (value === null || typeof value !== "object") return String(value ?? "–");
  return Object.entries(value).map(([name, inner]) => `${name.replaceAll("_", " ")} ${plain(inner)}`).join(" · ");
}
