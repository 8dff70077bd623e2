// Mend the day: who is away, what would move, who must be told; and one click that books it, or says what changed.

import { get, post } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { clock, minutes } from "./words.js";

const REASONS = { sick: "is sick", van: "has a broken van", other: "can't come" };
const TELL_MAX = 5;

export class Mend {
  constructor(store, { toast, open }) {
    Object.assign(this, { store, toast, open, tellMax: TELL_MAX, proposal: null, asked: 0 });
    this.dialog = byId("mend");
    this.dialog.addEventListener("close", () => { this.asked += 1; });
  }

  show() {
    if (!this.dialog.open) this.dialog.showModal();
    this.look();
  }

  async look() {
    const asked = ++this.asked;
    this.proposal = null;
    this.draw(h("p", { class: "loading" }, "Looking for the least that must move…"));
    try {
      const found = await get(`/api/mend?day=${this.store.day}&tell_max=${this.tellMax}`);
      if (asked !== this.asked) return;
      this.proposal = found;
      this.draw(this.found(found));
    } catch (refusal) {
      if (asked === this.asked) this.draw(h("p", { class: "warning" }, refusal.message));
    }
  }

  draw(content) {
    const moves = this.proposal?.choice.moves.length || this.proposal?.choice.holds.length || 0;
    fill(
      this.dialog,
      h("h2", { id: "mend-title" }, "Mend the day"),
      this.away(),
      this.limit(),
      h("div", { class: "mend-found", "aria-live": "polite" }, content),
      h(
        "p",
        { class: "mend-tools" },
        h("button", { class: "main", type: "button", disabled: !moves, onclick: () => this.apply() }, "Move them"),
        h("button", { type: "button", onclick: () => this.dialog.close() }, "Leave it as it is"),
      ),
    );
  }

  found(proposal) {
    const { choice, stays_late: late, left_out: left } = proposal;
    const cost = (minor) => (minor / 100).toFixed(0);
    return [
      h("p", { class: "mend-sentence" }, h("strong", {}, `${proposal.sentence}.`)),
      proposal.cost_before_minor > proposal.cost_after_minor
        ? h("p", { class: "soft" }, `The day costs ${cost(proposal.cost_before_minor)} as it stands and ${cost(proposal.cost_after_minor)} mended, broken promises counted. Travel times: ${proposal.roads}${proposal.roads_estimated ? " (estimated)" : ""}.`)
        : null,
      list("Moves", choice.moves, (move) => [move.sentence, move.tells ? h("em", { class: "urgent" }, "tell the customer") : null]),
      list("Stays as it is, and late", late, (one) => [`${one.number}: ${one.minutes ? `${minutes(one.minutes)} late, ` : ""}${one.reason}`]),
      list("Nobody to go there", left, (one) => [`${one.number}: ${one.reason}`]),
    ];
  }

  limit() {
    const ask = (event) => {
      event.preventDefault();
      this.tellMax = Math.max(0, Math.min(200, Number(new FormData(event.target).get("most")) || 0));
      this.look();
    };
    return h(
      "form",
      { class: "mend-limit", onsubmit: ask },
      h("label", {}, "Customers told a new time, at most", h("input", { type: "number", name: "most", min: "0", max: "200", value: String(this.tellMax) })),
      h("button", {}, "Look again"),
    );
  }

  away() {
    const people = [...this.store.technicians.values()];
    const gone = people.filter((one) => this.store.people.get(one.id)?.away_until);
    const here = people.filter((one) => !gone.includes(one));
    return h(
      "div",
      { class: "mend-away" },
      gone.map((one) => {
        const now = this.store.people.get(one.id);
        return h("p", {}, `${one.name} ${REASONS[now.away_reason]} until ${clock(now.away_until)}. `, h("button", { type: "button", class: "quiet", onclick: () => this.send(`/api/technicians/${one.id}/back`) }, "Is back"));
      }),
      h(
        "form",
        { onsubmit: (event) => this.leave(event) },
        h("label", {}, "Who can't come", h("select", { name: "who" }, here.map((one) => h("option", { value: one.id }, one.name)))),
        h("label", {}, "Why", h("select", { name: "reason" }, Object.entries(REASONS).map(([value, words]) => h("option", { value }, words)))),
        h("button", {}, "Plan without them"),
      ),
    );
  }

  leave(event) {
    event.preventDefault();
    const form = new FormData(event.target);
    return this.send(`/api/technicians/${form.get("who")}/away`, { reason: form.get("reason") });
  }

  async send(path, body = undefined) {
    try {
      await post(path, body);
      this.store.patchNow(await get(`/api/board/now?day=${this.store.day}`));
    } catch (refusal) {
      this.toast(refusal.message, "bad");
    }
    this.look();
  }

  async apply() {
    const { choice } = this.proposal;
    try {
      const done = await post("/api/mend", choice);
      const told = done.told ? `; tell ${done.told === 1 ? "one customer" : `${done.told} customers`} the new time` : "";
      const said = `${done.moved === 1 ? "One visit" : `${done.moved} visits`} moved${told}.`;
      if (done.refused.length) {
        // Somebody fell ill while the proposal lay open: what stays as it was needs another one.
        this.toast(`${said} Not moved: ${done.refused.join(". ")}.`, "bad");
        this.look();
      } else {
        this.dialog.close();
        this.toast(said);
      }
    } catch (refusal) {
      this.toast(refusal.message, "bad");
      this.look();
    }
  }
}

function list(title, things, words) {
  if (!things.length) return null;
  return h("section", {}, h("h3", {}, title), h("ul", {}, things.map((thing) => h("li", {}, words(thing)))));
}
