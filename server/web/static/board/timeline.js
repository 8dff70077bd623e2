// The timeline: one row a technician, absolute boxes, hours across. Only rows that changed are drawn again.

import { byId, h, icon, place } from "./dom.js";
import { ends, starts } from "./store.js";
import { KINDS, SHORT_KINDS, STATES, clock, inFull, isLocked, isOver, minutes, span, street } from "./words.js";

export const HEAD = 172; // width of the technicians' column, as in board.css
const MINUTE = 60000;
const ROW_LEAST = 46;
const ROW_MOST = 62; // there is room for the number then
const HOURS = 26;
const NARROW = 76; // pixels
const EDGE = 20;
const TOUCH = 2 * MINUTE; // boxes that lie over each other by less only touch

const AWAY = { sick: "sick", van: "van broken", other: "away" };

export class Timeline {
  constructor(store, open) {
    this.store = store;
    this.open = open;
    this.root = byId("timeline");
    this.zoom = 1;
    this.rows = new Map();
    this.frozen = false; // while something is dragged, nothing may be drawn anew under it
    new ResizeObserver(() => this.store.board && !this.frozen && this.draw()).observe(this.root);
  }

  // --- geometry

  get dayStart() {
    return +new Date(this.store.board.day_start);
  }

  x(at) {
    return ((+new Date(at) - this.dayStart) / MINUTE - this.from) * this.scale + EDGE;
  }

  // Milliseconds since the epoch at `x` pixels into a lane.
  at(x) {
    return this.dayStart + ((x - EDGE) / this.scale + this.from) * MINUTE;
  }

  measure() {
    const { technicians, board } = this.store;
    const marks = [...technicians.values()].flatMap((one) => [one.shift_start_minute, one.shift_end_minute]);
    for (const order of this.store.all()) {
      if (!order.technician_id || !order.planned_start) continue;
      marks.push((starts(order) - this.dayStart) / MINUTE - order.travel_minutes, (ends(order) - this.dayStart) / MINUTE);
    }
    const length = (+new Date(board.day_end) - this.dayStart) / MINUTE;
    const within = marks.filter((mark) => mark > -120 && mark < length + 120);
    this.from = Math.floor(Math.max(0, Math.min(8 * 60, ...within)) / 60) * 60;
    this.until = Math.ceil(Math.min(length, Math.max(16 * 60, ...within)) / 60) * 60;
    const width = this.root.clientWidth - HEAD - 2 * EDGE - 2;
    this.scale = Math.max(0.6, (width / (this.until - this.from)) * this.zoom);
    this.width = (this.until - this.from) * this.scale + 2 * EDGE;
    const share = Math.floor((this.root.clientHeight - HOURS - 4) / Math.max(1, technicians.size));
    this.height = Math.min(ROW_MOST, Math.max(ROW_LEAST, share));
  }

  // --- drawing

  draw() {
    this.measure();
    const held = this.focused();
    this.canvas = h("div", { class: "canvas", role: "grid", "aria-label": "Jobs by technician and time" });
    this.canvas.style.width = `${HEAD + this.width}px`;
    this.canvas.style.setProperty("--row", `${this.height}px`);
    this.canvas.append(this.hours());
    this.rows.clear();
    for (const technician of this.store.technicians.values()) {
      const row = this.row(technician);
      this.rows.set(technician.id, row);
      this.canvas.append(row);
    }
    this.nowLine = h("div", { class: "now-line", "aria-hidden": "true" });
    this.canvas.append(this.nowLine);
    this.root.replaceChildren(this.canvas);
    if (!this.rows.size) this.root.append(h("p", { class: "loading" }, "No technicians yet."));
    this.tick();
    this.refocus(held);
  }

  drawRows(technicianIds) {
    if (this.outgrown()) return this.draw();
    const held = this.focused();
    for (const id of new Set(technicianIds)) {
      const technician = this.store.technicians.get(id);
      const old = this.rows.get(id);
      if (!technician || !old) continue;
      const row = this.row(technician);
      this.rows.set(id, row);
      old.replaceWith(row);
    }
    this.refocus(held);
  }

  outgrown() {
    const before = [this.from, this.until, this.scale, this.height].join();
    this.measure();
    return before !== [this.from, this.until, this.scale, this.height].join();
  }

  hours() {
    const bar = h("div", { class: "hours", "aria-hidden": "true" }, h("div", { class: "corner" }, "Technician"));
    const lane = h("div", { class: "hours-lane" });
    const every = this.scale < 0.75 ? 120 : 60;
    for (let minute = this.from; minute <= this.until; minute += every) {
      const at = this.dayStart + minute * MINUTE;
      lane.append(h("span", { class: "hour", place: { left: this.x(at) } }, clock(at)));
    }
    bar.append(lane);
    return bar;
  }

  row(technician) {
    const lane = h("div", { class: "lane", data: { lane: technician.id } });
    lane.style.width = `${this.width}px`;
    lane.style.setProperty("--hour", `${60 * this.scale}px`);
    this.addShift(lane, technician);
    this.addLunch(lane, technician);
    for (const one of technician.breaks) this.addBreak(lane, "Break", one.planned_minute, one.minutes);
    const orders = this.store.of(technician.id);
    const shares = overlaps(orders);
    orders.forEach((order, index) => this.addJob(lane, order, technician, index, shares.get(order)));
    return h("div", { class: "row", role: "row", data: { technician: technician.id } }, this.head(technician), lane);
  }

  head(technician) {
    const now = this.store.people.get(technician.id);
    const behind = now?.minutes_behind || 0;
    const skills = Object.entries(technician.skills).map(([name, level]) => `${name} ${level}`);
    return h(
      "div",
      { class: "head", role: "rowheader", title: `${technician.name} · ${technician.phone}\n${skills.join(", ")}` },
      h("strong", {}, technician.name),
      h("span", { class: "van" }, now?.away_until ? h("b", { class: "behind" }, AWAY[now.away_reason]) : behind >= 5 ? h("b", { class: "behind" }, `${minutes(behind)} behind`) : technician.van),
    );
  }

  addShift(lane, technician) {
    const start = this.dayStart + technician.shift_start_minute * MINUTE;
    const end = this.dayStart + technician.shift_end_minute * MINUTE;
    lane.append(h("div", { class: "shift", place: { left: this.x(start), width: this.x(end) - this.x(start) } }));
  }

  addLunch(lane, technician) {
    if (technician.lunch_minutes) this.addBreak(lane, "Lunch", technician.lunch_planned_minute, technician.lunch_minutes);
  }

  addBreak(lane, words, planned, length) {
    if (planned === null) return;
    const start = this.dayStart + planned * MINUTE;
    const width = length * this.scale;
    const title = `${words} ${span(start, start + length * MINUTE)}`;
    lane.append(h("div", { class: "lunch", title, place: { left: this.x(start), width } }, width > 34 ? words : ""));
  }

  addJob(lane, order, technician, index, share) {
    const left = this.x(starts(order));
    const width = Math.max(14, this.x(ends(order)) - left - 1);
    const verdict = this.store.verdicts.get(order.id);
    this.addTravel(lane, order, left);
    this.addWindow(lane, order, index, verdict);
    const box = this.job(order, technician, verdict, { left, width });
    box.style.setProperty("--place", share.place);
    box.style.setProperty("--of", share.of);
    lane.append(box);
  }

  addTravel(lane, order, left) {
    const setOut = order.travel_started_at ? +new Date(order.travel_started_at) : starts(order) - order.travel_minutes * MINUTE;
    const width = left - this.x(setOut);
    if (width < 1 || order.state === "cancelled") return;
    const title = `Travel ${minutes(order.travel_minutes)} to ${street(order)}`;
    lane.append(h("div", { class: "travel", title, place: { left: left - width, width } }));
  }

  addWindow(lane, order, index, verdict) {
    if (!order.window_start || isOver(order.state)) return;
    const left = this.x(order.window_start);
    const kind = verdict?.level === "late" ? " late" : "";
    lane.append(
      h("div", {
        class: `window${kind}`,
        data: { window: order.id },
        place: { left, width: this.x(order.window_end) - left, top: this.height - 9 + (index % 2) * 4 },
      }),
    );
  }

  job(order, technician, verdict, where) {
    const level = verdict?.level || "fine";
    const fresh = (this.store.fresh.get(order.id) || 0) > Date.now();
    const locked = isLocked(order);
    const classes = ["job", `s-${order.state}`, `l-${isOver(order.state) && level === "at_risk" ? "fine" : level}`];
    if (fresh) classes.push("fresh");
    if (locked) classes.push("locked");
    if (order.moving) classes.push("moving");
    if (order.priority === 1) classes.push("emergency");
    if (this.store.selected === order.id) classes.push("selected");
    const full = inFull(order, verdict, this.store.board, technician);
    return h(
      "button",
      {
        class: classes.join(" "),
        data: { job: order.id },
        title: full.replaceAll("; ", "\n"),
        "aria-label": full,
        "aria-pressed": this.store.selected === order.id ? "true" : "false",
        place: where,
        onclick: () => this.open(order.id),
        onmouseenter: () => this.hint(order.id, true),
        onmouseleave: () => this.hint(order.id, false),
        onfocus: () => this.hint(order.id, true),
        onblur: () => this.hint(order.id, false),
      },
      h("span", { class: "what" }, icon(order.state), order.priority === 1 ? icon("emergency") : null, (where.width < NARROW ? SHORT_KINDS : KINDS)[order.kind], order.links?.length ? icon("link") : null),
      h("span", { class: "where" }, this.second(order, verdict)),
      this.height >= ROW_MOST - 4 ? h("span", { class: "number" }, order.number) : null,
      locked && order.state !== "completed" ? icon("lock") : null,
    );
  }

  second(order, verdict) {
    if (verdict?.level === "late" && order.state !== "cancelled") return `${minutes(verdict.minutes_late)} late`;
    if (verdict?.level === "at_risk" && !isOver(order.state)) return "tight";
    if (["unfinished", "cancelled"].includes(order.state)) return STATES[order.state];
    return street(order);
  }

  // The promised window of the job under the pointer or the focus stands out.
  hint(id, on) {
    this.root.querySelector(`[data-window="${id}"]`)?.classList.toggle("strong", on);
  }

  tick() {
    if (!this.nowLine) return;
    const now = Date.now();
    const x = this.x(now);
    this.nowLine.hidden = x < 0 || x > this.width;
    this.nowLine.style.left = `${HEAD + x}px`;
    this.nowLine.dataset.time = clock(now);
    for (const [id, until] of this.store.fresh) {
      if (until > now) continue;
      this.store.fresh.delete(id);
      this.box(id)?.classList.remove("fresh");
    }
  }

  // --- focus and keys

  box(id) {
    return this.root.querySelector(`[data-job="${id}"]`);
  }

  focused() {
    return document.activeElement?.dataset?.job || null;
  }

  refocus(id) {
    if (id && this.focused() !== id) this.box(id)?.focus({ preventScroll: true });
  }

  mark() {
    for (const box of this.root.querySelectorAll(".job")) {
      const on = box.dataset.job === this.store.selected;
      box.classList.toggle("selected", on);
      box.setAttribute("aria-pressed", String(on));
    }
  }

  // The next job in that direction: along the row, or nearest in time in the next row that has one.
  neighbour(id, key) {
    const order = this.store.order(id);
    const route = this.store.of(order.technician_id);
    const here = route.findIndex((one) => one.id === id);
    if (key === "ArrowLeft") return route[here - 1];
    if (key === "ArrowRight") return route[here + 1];
    const people = [...this.rows.keys()];
    const step = key === "ArrowDown" ? 1 : -1;
    for (let index = people.indexOf(order.technician_id) + step; index >= 0 && index < people.length; index += step) {
      const jobs = this.store.of(people[index]);
      if (jobs.length) return jobs.reduce((a, b) => (distance(b, order) < distance(a, order) ? b : a));
    }
    return undefined;
  }
}

// What was done in another order than planned lies across what is still planned: the boxes share the height of
// the row, so that none hides another. order → { place, of }
function overlaps(orders) {
  const shares = new Map();
  let together = [];
  let until = -Infinity;
  const close = () => {
    const ended = []; // when the last box of each line ends
    for (const order of together) {
      const free = ended.findIndex((end) => end <= starts(order) + TOUCH);
      const line = free < 0 ? ended.length : free;
      ended[line] = ends(order);
      shares.set(order, { place: line, of: 1 });
    }
    for (const order of together) shares.get(order).of = ended.length;
  };
  for (const order of orders) {
    if (starts(order) + TOUCH >= until) {
      close();
      together = [];
    }
    together.push(order);
    until = Math.max(until, ends(order));
  }
  close();
  return shares;
}

const distance = (a, b) => Math.abs(starts(a) - starts(b));
