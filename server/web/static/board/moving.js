// Moving a job by hand: with the pointer or the keys. The server decides; a refusal puts it back with the reason.

import { get, post } from "./api.js";
import { byId, h } from "./dom.js";
import { parted } from "./links.js";
import { ends, starts } from "./store.js";
import { askWhy } from "./why.js";
import { KINDS, clock, isLocked, street } from "./words.js";

const SNAP = 5 * 60000;
const KEY_STEP = 15 * 60000;
const THRESHOLD = 4; // pixels before a press becomes a drag
const HOLD_MS = 350; // how long a finger rests before it drags instead of scrolling

const capital = (text) => text[0].toUpperCase() + text.slice(1);
const snap = (at) => Math.round(at / SNAP) * SNAP;

export class Mover {
  constructor(store, timeline, toast) {
    this.store = store;
    this.timeline = timeline;
    this.toast = toast;
    this.drag = null;
    this.keys = null;
    this.who = null; // the job last asked about, and per technician what speaks against it
    for (const root of [timeline.root, byId("unassigned")]) {
      root.addEventListener("pointerdown", (event) => this.press(event));
    }
    timeline.root.addEventListener("keydown", (event) => this.key(event));
    // A click that ends a drag must not open the job.
    timeline.root.addEventListener("click", (event) => this.justDragged && event.stopPropagation(), true);
    byId("unassigned").addEventListener("click", (event) => this.justDragged && event.stopPropagation(), true);
  }

  length(order) {
    const planned = order.planned_end ? +new Date(order.planned_end) - +new Date(order.planned_start) : 0;
    return planned || order.expected_minutes * 60000;
  }

  // --- pointer

  press(event) {
    const box = event.target.closest("[data-job]");
    if (!box || event.button !== 0 || this.drag) return;
    const order = this.store.order(box.dataset.job);
    if (!order || isLocked(order)) return;
    const drag = { box, order, x: event.clientX, y: event.clientY, id: event.pointerId, on: false, ready: event.pointerType !== "touch" };
    this.drag = drag;
    if (!drag.ready) drag.timer = setTimeout(() => { drag.ready = true; this.begin(drag, event); }, HOLD_MS);
    const listen = (name, handler, options) => {
      box.addEventListener(name, handler, options);
      drag.undo = [...(drag.undo || []), () => box.removeEventListener(name, handler, options)];
    };
    listen("pointermove", (move) => this.moved(drag, move));
    listen("pointerup", () => this.drop(drag));
    listen("pointercancel", () => this.stop(drag));
    listen("touchmove", (move) => drag.on && move.preventDefault(), { passive: false });
    drag.escape = (key) => key.key === "Escape" && this.stop(drag);
    document.addEventListener("keydown", drag.escape);
  }

  moved(drag, event) {
    const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > THRESHOLD;
    if (!drag.ready) return far ? this.stop(drag) : undefined; // a finger that moves at once scrolls
    if (!drag.on && far) this.begin(drag, event);
    drag.now = event;
    if (drag.on && !drag.frame) {
      drag.frame = requestAnimationFrame(() => {
        drag.frame = 0;
        if (drag.on) this.follow(drag);
      });
    }
  }

  begin(drag, event) {
    if (drag.on) return;
    drag.on = true;
    drag.now = event;
    const box = drag.box.getBoundingClientRect();
    drag.grab = { x: drag.box.matches(".job") ? drag.x - box.left : 12, y: drag.y - box.top };
    drag.box.setPointerCapture(drag.id);
    drag.box.classList.add("lifted");
    this.timeline.frozen = true;
    const width = (this.length(drag.order) / 60000) * this.timeline.scale;
    drag.ghost = h("div", { class: "ghost" }, h("b", {}, KINDS[drag.order.kind]), ` ${street(drag.order)}`);
    drag.ghost.style.width = `${width}px`;
    drag.label = h("div", { class: "ghost-label" });
    document.body.append(drag.ghost, drag.label);
    document.body.classList.add("dragging");
    this.follow(drag);
    this.askWho(drag.order).then(() => drag.on && this.follow(drag));
  }

  follow(drag) {
    const { clientX, clientY } = drag.now;
    const lane = document.elementsFromPoint(clientX, clientY).find((one) => one.matches(".lane"));
    const over = lane?.dataset.lane;
    const list = !lane && document.elementsFromPoint(clientX, clientY).some((one) => one.matches("#unassigned-panel"));
    drag.lane?.classList.remove("target");
    drag.lane = lane;
    lane?.classList.add("target");
    byId("unassigned-panel").classList.toggle("target", list && drag.order.state !== "unassigned");
    drag.target = null;
    let x = clientX - drag.grab.x;
    let y = clientY - 17;
    if (lane) {
      const box = lane.getBoundingClientRect();
      const at = snap(this.timeline.at(clientX - drag.grab.x - box.left));
      drag.target = { technician_id: over, at };
      x = box.left + this.timeline.x(at);
      y = box.top + 3;
      const warnings = this.warnings(drag.order, this.store.technicians.get(over), at);
      drag.label.replaceChildren(
        h("b", {}, `${clock(at)} ${this.store.technicians.get(over).name}`),
        ...warnings.map((warning) => h("span", { class: "warning" }, warning)),
      );
    } else if (list) {
      drag.target = { list: true };
      drag.label.replaceChildren(h("b", {}, "Take it off its technician"));
    } else {
      drag.label.replaceChildren("Drop it on a technician's row");
    }
    drag.ghost.style.transform = `translate(${x}px, ${y}px)`;
    const right = x > window.innerWidth - 260;
    drag.label.style.transform = `translate(${right ? x - 230 : x}px, ${y + 40}px)`;
  }

  drop(drag) {
    const { target, order, on } = drag;
    this.stop(drag);
    if (!on) return;
    this.justDragged = true;
    setTimeout(() => { this.justDragged = false; }, 0);
    if (target?.list && order.technician_id) this.unassign(order.id);
    else if (target?.technician_id && this.differs(order, target)) this.assign(order.id, target.technician_id, target.at);
  }

  differs(order, target) {
    return order.technician_id !== target.technician_id || Math.abs(+new Date(order.planned_start) - target.at) >= SNAP / 2;
  }

  stop(drag) {
    clearTimeout(drag.timer);
    cancelAnimationFrame(drag.frame);
    for (const undo of drag.undo || []) undo();
    document.removeEventListener("keydown", drag.escape);
    drag.box.classList.remove("lifted");
    drag.ghost?.remove();
    drag.label?.remove();
    drag.lane?.classList.remove("target");
    byId("unassigned-panel").classList.remove("target");
    document.body.classList.remove("dragging");
    drag.on = false;
    this.drag = null;
    if (this.timeline.frozen) {
      this.timeline.frozen = false;
      this.timeline.draw(); // what changed meanwhile
    }
  }

  // What a dispatcher should know before letting go. None of it forbids anything: the server decides.
  // Who may is for the server to say, by the rules that plans are made by. Only the minute is looked at here.
  async askWho(order) {
    const who = { id: order.id, against: new Map() };
    this.who = who;
    try {
      const { technicians } = await get(`/api/work-orders/${order.id}/technicians?day=${this.store.day}`);
      for (const one of technicians) who.against.set(one.technician_id, one.against.map(capital));
    } catch {
      // Without an answer the hand is free, as it is against any rule: the next plan says what is wrong.
    }
  }

  warnings(order, technician, at) {
    const found = [];
    const end = at + this.length(order);
    const minute = (at - this.timeline.dayStart) / 60000;
    if (this.who?.id === order.id) found.push(...(this.who.against.get(technician.id) || []));
    if (order.window_start && (at < +new Date(order.window_start) || at >= +new Date(order.window_end))) {
      found.push(`Outside the promised ${clock(order.window_start)}–${clock(order.window_end)}`);
    }
    if (minute < technician.shift_start_minute || (end - this.timeline.dayStart) / 60000 > technician.shift_end_minute) {
      found.push("Outside the shift");
    }
    const clash = this.store
      .of(technician.id)
      .find((other) => other.id !== order.id && other.state !== "cancelled" && starts(other) < end && ends(other) > at);
    found.push(...parted(this.store, order, technician.id, at, end));
    if (clash) found.push(`Overlaps ${clash.number}`);
    if (at < Date.now() - SNAP) found.push("In the past");
    return found;
  }

  // --- keys

  key(event) {
    const id = event.target.dataset?.job;
    if (!id) return;
    if (event.key.startsWith("Arrow") && !event.shiftKey) {
      event.preventDefault();
      const next = this.timeline.neighbour(id, event.key);
      if (next) this.timeline.box(next.id)?.focus();
    } else if (event.key.startsWith("Arrow")) {
      event.preventDefault();
      this.nudge(id, event.key);
    } else if (this.keys && event.key === "Enter") {
      event.preventDefault();
      const { technician_id, at } = this.keys;
      this.keys = null;
      this.assign(id, technician_id, at);
    } else if (this.keys && event.key === "Escape") {
      this.letGo();
    }
  }

  nudge(id, key) {
    const order = this.store.order(id);
    if (isLocked(order)) return this.toast(`${order.number} has been started and cannot be moved.`);
    if (this.keys && this.keys.id !== id) this.letGo();
    if (!this.keys) this.askWho(order);
    this.keys ||= { id, technician_id: order.technician_id, at: snap(+new Date(order.planned_start)) };
    const people = [...this.timeline.rows.keys()];
    const index = people.indexOf(this.keys.technician_id);
    if (key === "ArrowLeft") this.keys.at -= KEY_STEP;
    if (key === "ArrowRight") this.keys.at += KEY_STEP;
    if (key === "ArrowUp") this.keys.technician_id = people[Math.max(0, index - 1)];
    if (key === "ArrowDown") this.keys.technician_id = people[Math.min(people.length - 1, index + 1)];
    const technician = this.store.technicians.get(this.keys.technician_id);
    this.store.move(id, this.placed(order, this.keys.technician_id, this.keys.at));
    this.timeline.box(id)?.focus();
    const warnings = this.warnings(order, technician, this.keys.at);
    this.toast(`${clock(this.keys.at)}, ${technician.name}. ${warnings.join(". ")} Enter keeps it, Esc leaves it.`, "move");
  }

  letGo() {
    const { id } = this.keys;
    this.keys = null;
    this.store.moveBack(id);
    this.timeline.box(id)?.focus();
    this.toast("Left where it was.", "move");
  }

  placed(order, technicianId, at) {
    return {
      technician_id: technicianId,
      planned_start: new Date(at).toISOString(),
      planned_end: new Date(at + this.length(order)).toISOString(),
    };
  }

  // --- asking the server

  // pin: whether plans keep to it; what the scheduler itself offered it may move again.
  async assign(id, technicianId, at, pin = true) {
    const order = this.store.order(id);
    const place = this.placed(order, technicianId, at);
    const body = { technician_id: technicianId, planned_start: place.planned_start, pin };
    await this.ask(id, place, `/api/work-orders/${id}/assign`, body);
  }

  async unassign(id, keepOut = false) {
    const nowhere = { technician_id: null, planned_start: null, planned_end: null };
    await this.ask(id, nowhere, `/api/work-orders/${id}/unassign`, { keep_out: keepOut });
  }

  async ask(id, place, path, body) {
    const { number } = this.store.order(id);
    this.store.move(id, place);
    try {
      const { override } = await post(path, body);
      askWhy(number, override, this.toast);
    } catch (refusal) {
      this.store.moveBack(id);
      this.timeline.box(id)?.classList.add("snapped-back");
      this.toast(`${number} stays where it was: ${refusal.message}`, "bad");
    }
  }
}
