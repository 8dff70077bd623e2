// What a job depends on: begins together with another one, comes after it, or is waited for.

import { post } from "./api.js";
import { h, icon } from "./dom.js";
import { ends as endsAt, starts } from "./store.js";
import { STATES, clock, linkWords as inWords } from "./words.js";

// Which links a hand would break by putting the job there: the server looks again when it is let go.
export function parted(store, order, technicianId, at, end) {
  const MINUTE = 60000;
  return (order.links || []).flatMap((link) => {
    const other = store.order(link.work_order_id);
    if (!other?.planned_start) return link.kind === "before" ? [] : [`${inWords(link)}, which is not on this day`];
    const [begins, ends] = [starts(other), endsAt(other)];
    const gap = link.gap_minutes * MINUTE;
    if (link.kind === "together") {
      if (other.technician_id === technicianId) return [`Begins together with ${other.number}, with the same technician`];
      return begins === at ? [] : [`Begins together with ${other.number}, at ${clock(begins)}`];
    }
    if (link.kind === "after") return at < ends + gap ? [`Comes after ${other.number}, which ends ${clock(ends)}`] : [];
    return end + gap > begins ? [`${other.number} waits for it, and begins ${clock(begins)}`] : [];
  });
}

export class Links {
  constructor(store, { open, toast, show, mayDispatch }) {
    Object.assign(this, { store, open, toast, show, mayDispatch });
  }

  // The section of the panel; null where there is nothing to say or to do.
  section(order, found, locked) {
    const lines = found.links.map((link) => this.line(order, link));
    const form = this.mayDispatch && !locked ? this.form(order) : null;
    if (!lines.length && !form) return null;
    const because = this.store.verdicts.get(order.id)?.because;
    return h(
      "section",
      { "aria-label": "Depends on", class: "links" },
      h("h3", {}, "Depends on"),
      because ? h("p", { class: "warning" }, `Late because it ${because}.`) : null,
      found.broken.map((text) => h("p", { class: "warning" }, `${text}.`)),
      lines.length ? h("ul", {}, lines) : null,
      form,
    );
  }

  line(order, link) {
    const words = inWords(link);
    const known = this.store.order(link.work_order_id);
    const state = h("span", { class: "hint" }, `, ${STATES[link.state]}`);
    const [before, after] = words.split(link.number);
    const number = known ? h("button", { type: "button", class: "quiet as-link", onclick: () => this.open(link.work_order_id) }, link.number) : link.number;
    return h(
      "li",
      {},
      h("span", {}, before, number, after, state),
      this.mayDispatch ? h("button", { type: "button", class: "quiet", "aria-label": `Take away: ${words}`, onclick: () => this.remove(order, link, words) }, "Take away") : null,
    );
  }

  form(order) {
    const numbers = `numbers-${order.id}`;
    const kind = h(
      "select",
      { name: "kind", "aria-label": `How ${order.number} depends`, onchange: () => gaps.forEach((one) => (one.hidden = kind.value !== "after")) },
      h("option", { value: "after" }, "comes after"),
      h("option", { value: "together" }, "begins together with"),
    );
    const gap = (name, label) => h("label", {}, label, h("input", { name, inputmode: "numeric", pattern: "[0-9]*", maxlength: "5", autocomplete: "off", placeholder: "minutes" }));
    const gaps = [gap("least", "Gap at least"), gap("most", "Gap at most")];
    const others = this.store.all().filter((one) => one.id !== order.id && one.state !== "cancelled");
    return h(
      "details",
      {},
      h("summary", {}, icon("link"), "Link to another job…"),
      h(
        "form",
        { class: "link-form", onsubmit: (event) => this.add(event, order) },
        h("label", {}, order.number, kind),
        h("label", {}, "Work order", h("input", { name: "number", required: true, maxlength: "60", autocomplete: "off", list: numbers, placeholder: "WO-…" })),
        h("datalist", { id: numbers }, others.map((one) => h("option", { value: one.number }, `${one.customer}, ${one.address}`))),
        gaps,
        h("button", { class: "main" }, "Link"),
      ),
    );
  }

  async add(event, order) {
    event.preventDefault();
    const form = new FormData(event.target);
    const kind = form.get("kind");
    const body = { kind, number: form.get("number").trim() };
    if (kind === "after") {
      body.gap_minutes = Number(form.get("least") || 0);
      body.gap_most_minutes = form.get("most") ? Number(form.get("most")) : null;
    }
    try {
      await post(`/api/work-orders/${order.id}/links`, body);
      document.activeElement?.blur();
      this.toast(`${order.number} ${kind === "after" ? "comes after" : "begins together with"} ${body.number}; plans keep to it.`);
      this.show(order.id);
    } catch (refusal) {
      this.toast(refusal.message, "bad");
    }
  }

  async remove(order, link, words) {
    try {
      await post(`/api/work-orders/${order.id}/links/${link.id}/remove`);
      this.toast(`${order.number}: “${words}” is taken away.`);
      this.show(order.id);
    } catch (refusal) {
      this.toast(refusal.message, "bad");
    }
  }
}
