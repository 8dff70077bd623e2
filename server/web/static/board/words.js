// Every word the board says about a job, and times as the day's own zone has them.

export const STATES = {
  unassigned: "unassigned",
  assigned: "planned",
  travelling: "on the way",
  on_site: "on site",
  completed: "done",
  unfinished: "not finished",
  cancelled: "cancelled",
};
export const KINDS = {
  install: "Install",
  upgrade: "Upgrade",
  repair: "Repair",
  swap: "Swap",
  disconnect: "Disconnect",
};
// Where a box is too narrow for the word.
export const SHORT_KINDS = { install: "Install", upgrade: "Upgr.", repair: "Rep.", swap: "Swap", disconnect: "Disc." };
export const PRIORITIES = { 1: "emergency", 2: "high", 3: "normal", 4: "whenever" };
export const REASONS = {
  no_access: "no access",
  customer_absent: "nobody at home",
  missing_part: "a part was missing",
  missing_skill: "another skill is needed",
  network_fault: "fault in the network",
  unsafe: "not safe",
  customer_refused: "the customer refused",
};

let clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
let dayFormat = clockFormat;

export function useZone(timeZone) {
  clockFormat = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
  dayFormat = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone });
}

export const clock = (at) => (at ? clockFormat.format(new Date(at)) : "–");
export const shortDay = (at) => dayFormat.format(new Date(at));

export function span(start, end) {
  return start && end ? `${clock(start)}–${clock(end)}` : "–";
}

// A span that may be on another day than the one shown says so.
export function promised(order, board) {
  if (!order.window_start) return "no window";
  const start = new Date(order.window_start);
  const here = start >= new Date(board.day_start) && start < new Date(board.day_end);
  const times = span(order.window_start, order.window_end);
  return here ? times : `${shortDay(start)} ${times}`;
}

export function minutes(count) {
  if (count < 60) return `${count} min`;
  const hours = Math.floor(count / 60);
  if (hours >= 48) return `${Math.floor(hours / 24)} days`;
  return count % 60 ? `${hours} h ${count % 60} min` : `${hours} h`;
}

const LINKS = { together: "Begins together with", after: "After", before: "Before" };

// What a job depends on, in one line.
export function linkWords({ kind, number, gap_minutes: least, gap_most_minutes: most }) {
  const between = [least ? `at least ${minutes(least)}` : "", most || most === 0 ? `at most ${minutes(most)}` : ""].filter(Boolean);
  return `${LINKS[kind]} ${number}${between.length ? `, ${between.join(" and ")} between` : ""}`;
}

export const isOver = (state) => ["completed", "unfinished", "cancelled"].includes(state);
export const isUnderWay = (state) => ["travelling", "on_site"].includes(state);
export const isLocked = (order) => isOver(order.state) || isUnderWay(order.state);

export const street = (order) => order.address.split(",")[0];

// What a screen reader says, and the tooltip.
export function inFull(order, verdict, board, technician) {
  const parts = [
    `${order.number}, ${KINDS[order.kind]}, ${STATES[order.state]}`,
    order.priority <= 2 ? `priority ${PRIORITIES[order.priority]}` : "",
    `${order.customer}, ${order.address}`,
    order.planned_start ? `planned ${span(order.planned_start, order.planned_end)}` : "",
    technician ? `by ${technician.name}` : "",
    `promised ${promised(order, board)}`,
    verdict && verdict.words ? verdict.words : "",
    order.preferred ? `would like ${span(order.preferred.start, order.preferred.end)}` : "",
    ...(order.links || []).map(linkWords),
    order.left_out ? order.left_out.reason : "",
    isLocked(order) ? "cannot be moved" : "",
  ];
  return parts.filter(Boolean).join("; ");
}
