// What the board knows: the server's day, what changed since, and what is being moved by hand right now.

export class Store extends EventTarget {
  constructor(day) {
    super();
    this.day = day;
    this.board = null;
    this.orders = new Map();
    this.technicians = new Map();
    this.held = new Map();
    this.verdicts = new Map(); // work order → timeliness
    this.people = new Map(); // technician → where and how late
    this.moves = new Map(); // work order → the place somebody gave it that the server has not told back yet
    this.selected = null;
    this.fresh = new Map(); // work order → when its highlight ends
  }

  load(board) {
    this.board = board;
    this.orders = new Map(board.work_orders.map((order) => [order.id, order]));
    this.technicians = new Map(board.technicians.map((one) => [one.id, one]));
    this.held = new Map(board.held.map((card) => [card.id, card]));
    this.moves.clear();
    this.#now(board.now);
    this.#tell({ all: true });
  }

  // The work order as it should be drawn: where a hand has put it, until the server says otherwise.
  order(id) {
    const order = this.orders.get(id);
    const move = this.moves.get(id);
    return order && move ? { ...order, ...move, moving: true } : order;
  }

  all() {
    return [...this.orders.keys()].map((id) => this.order(id));
  }

  of(technicianId) {
    return this.all()
      .filter((order) => order.technician_id === technicianId && order.planned_start)
      .sort((a, b) => starts(a) - starts(b));
  }

  // Nobody is going there: not yet, or not any more after a visit that could not be completed.
  unassigned() {
    const urgency = (order) => [order.priority, order.window_end || "9"].join();
    return this.all()
      .filter((order) => ["unassigned", "unfinished"].includes(order.state) || (order.moving && !order.technician_id))
      .sort((a, b) => (urgency(a) < urgency(b) ? -1 : 1));
  }

  patchOrder({ card }) {
    const before = this.orders.get(card.id);
    if (before && before.version > card.version) return;
    this.orders.set(card.id, card);
    this.moves.delete(card.id);
    if (!before || before.version !== card.version) this.fresh.set(card.id, Date.now() + 4000);
    this.#tell({ order: card.id, technicians: [before?.technician_id, card.technician_id] });
  }

  dropOrder(id) {
    const before = this.orders.get(id);
    this.orders.delete(id);
    this.moves.delete(id);
    if (before) this.#tell({ order: id, technicians: [before.technician_id] });
  }

  patchHeld(card) {
    this.held.set(card.id, card);
    this.#tell({ held: card.id });
  }

  dropHeld(id) {
    if (this.held.delete(id)) this.#tell({ held: id });
  }

  patchPlan({ plan, left_out, lunches, breaks }) {
    this.board.plan = plan;
    const reasons = new Map(left_out.map((reason) => [reason.work_order_id, reason]));
    for (const order of this.orders.values()) {
      if (order.state === "unassigned" && reasons.has(order.id)) order.left_out = reasons.get(order.id);
    }
    for (const one of this.technicians.values()) Object.assign(one, { lunch_planned_minute: lunches[one.id] ?? null, breaks: breaks[one.id] || [] });
    this.#tell({ all: true });
  }

  patchNow(now) {
    const verdicts = this.verdicts;
    const people = this.people;
    this.#now(now);
    const said = (one) => `${one?.minutes_behind} ${one?.away_until}`;
    const rows = now.technicians.filter((one) => said(people.get(one.id)) !== said(one)).map((one) => one.id);
    for (const order of this.orders.values()) {
      const before = verdicts.get(order.id);
      const after = this.verdicts.get(order.id);
      // A visit under way grows with the clock, whatever its verdict.
      if (order.state === "on_site" || before?.words !== after?.words || before?.minutes_late !== after?.minutes_late) {
        rows.push(order.technician_id);
      }
    }
    // What the open panel says of the job may hang on somebody who is late.
    const told = verdicts.get(this.selected)?.words === this.verdicts.get(this.selected)?.words;
    this.#tell({ technicians: rows, order: told ? undefined : this.selected });
  }

  move(id, place) {
    const before = this.order(id);
    this.moves.set(id, place);
    this.#tell({ order: id, technicians: [before.technician_id, place.technician_id] });
  }

  // What was moved goes back to where the server has it.
  moveBack(id) {
    const moved = this.order(id);
    if (!this.moves.delete(id)) return;
    this.#tell({ order: id, technicians: [moved.technician_id, this.orders.get(id)?.technician_id] });
  }

  select(id) {
    this.selected = id;
    this.#tell({ selected: true });
  }

  #now(now) {
    this.verdicts = new Map(now.work_orders.map((verdict) => [verdict.id, verdict]));
    this.people = new Map(now.technicians.map((one) => [one.id, one]));
  }

  #tell(detail) {
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }
}

// Where a job is drawn from and to: what really happened, else what is planned.
export function starts(order) {
  return +new Date(order.arrived_at || order.planned_start || order.window_start || 0);
}

export function ends(order, now = Date.now()) {
  if (order.finished_at && order.arrived_at) return +new Date(order.finished_at);
  const planned = order.planned_end ? +new Date(order.planned_end) : starts(order);
  const length = +new Date(order.planned_end || 0) - +new Date(order.planned_start || 0);
  if (order.state === "on_site") return Math.max(now, starts(order) + length);
  return order.arrived_at ? starts(order) + length : planned;
}
