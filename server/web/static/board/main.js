// The board: load the day, draw it, follow what changes, and let a dispatcher act on it.

import { Refused, get, post } from "./api.js";
import { Detail } from "./detail.js";
import { byId, h, icon } from "./dom.js";
import { Lists } from "./lists.js";
import { LiveFeed } from "./live.js";
import { TownMap } from "./map.js";
import { Mend } from "./mend.js";
import { Mover } from "./moving.js";
import { Store } from "./store.js";
import { Timeline } from "./timeline.js";
import { STATES, clock, useZone } from "./words.js";

const NOW_EVERY_MS = 30000;
const AFTER_CHANGE_MS = 300;

const page = byId("main").dataset;
const mayDispatch = page.mayDispatch === "yes";
const store = new Store(page.day);
const timeline = new Timeline(store, select);
const mover = mayDispatch ? new Mover(store, timeline, toast) : new Watcher();
const mend = new Mend(store, { toast, open: select });
const lists = new Lists(store, { open: select, toast, mayDispatch, mend: () => mend.show() });
const detail = new Detail(store, { close: () => select(null), open: select, toast, mover, mayDispatch });
const map = new TownMap(store, select);
let feed = null;
let asking = 0;
let dueRows = new Set();
let due = null;

// Somebody who may only look: nothing moves under their hands.
function Watcher() {}

start();

async function start() {
  dayLinks();
  tools();
  legend();
  try {
    await load();
  } catch (refusal) {
    byId("timeline").replaceChildren(h("p", { class: "loading" }, refusal.message));
    setTimeout(() => location.reload(), 10000);
    return;
  }
  map.start(page.mapLibrary === "yes");
  setInterval(() => { timeline.tick(); askNow(); }, NOW_EVERY_MS);
  setInterval(() => timeline.tick(), 5000);
  const link = new URLSearchParams(location.search).get("job");
  if (link && store.orders.has(link)) select(link);
}

async function load() {
  const board = await get(`/api/board?day=${store.day}`);
  useZone(board.time_zone);
  feed?.close();
  store.load(board);
  feed = new LiveFeed(store.day, board.feed, hear, say);
  document.body.dataset.loaded = "yes";
}

// --- live

function hear(name, data) {
  if (name === "reload") load().catch(() => setTimeout(() => hear("reload"), 5000));
  else if (name === "work_order") store.patchOrder(data);
  else if (name === "work_order_gone") store.dropOrder(data.id);
  else if (name === "held") store.patchHeld(data);
  else if (name === "held_gone") store.dropHeld(data.id);
  else if (name === "plan") store.patchPlan(data);
  clearTimeout(asking);
  asking = setTimeout(askNow, AFTER_CHANGE_MS);
  map.forgetRoads();
}

// Lateness follows from the clock, so it is asked for again, after changes and every half minute.
async function askNow() {
  try {
    store.patchNow(await get(`/api/board/now?day=${store.day}`));
  } catch (refusal) {
    if (refusal instanceof Refused && refusal.status === 401) say("signed-out", "");
  }
}

function say(state, sentence) {
  const live = byId("live");
  const banner = byId("banner");
  live.dataset.state = state;
  if (state === "on") {
    live.textContent = "live";
    banner.hidden = true;
    if (sentence) toast(sentence);
  } else if (state === "off") {
    live.textContent = "not live";
    banner.hidden = false;
    const since = clock(feed?.lostAt || Date.now());
    banner.replaceChildren(`No live updates since ${since}. What you see may be old; trying again.`);
  } else {
    live.textContent = "signed out";
    banner.hidden = false;
    const back = encodeURIComponent(location.pathname + location.search);
    banner.replaceChildren("You are signed out, so nothing is updated. ", h("a", { href: `/login?next=${back}` }, "Sign in"));
  }
}

// --- drawing: at most once a frame, and only what changed

store.addEventListener("change", ({ detail: change }) => {
  due ||= {};
  if (change.all) due.all = true;
  if (change.selected) due.selected = true;
  if (change.order && change.order === store.selected) due.refresh = true;
  for (const id of change.technicians || []) if (id) dueRows.add(id);
  if (!due.frame) due.frame = requestAnimationFrame(draw);
  // A hidden page gets no frames; it must be right when somebody looks again.
  if (document.hidden) draw();
});

function draw() {
  if (!due) return;
  const { all, selected, refresh, frame } = due;
  cancelAnimationFrame(frame);
  due = null;
  if (timeline.frozen) {
    // The timeline draws itself anew when the drag ends.
  } else if (all) timeline.draw();
  else timeline.drawRows(dueRows);
  dueRows = new Set();
  if (selected) timeline.mark();
  lists.draw();
  map.draw();
  facts();
  if (refresh || (all && store.selected)) detail.refresh();
}

function facts() {
  const count = (...states) => [...store.orders.values()].filter((order) => states.includes(order.state)).length;
  const late = [...store.verdicts.values()].filter((one) => one.level === "late" && store.orders.has(one.id)).length;
  const risk = [...store.verdicts.values()].filter((one) => one.level === "at_risk" && store.orders.has(one.id)).length;
  byId("totals").replaceChildren(
    h("span", {}, h("b", {}, store.orders.size), " jobs"),
    h("span", {}, h("b", {}, count("completed")), " done"),
    h("span", {}, h("b", {}, count("travelling", "on_site")), " under way"),
    h("span", { class: late ? "late" : "" }, h("b", {}, late), " late"),
    h("span", { class: risk ? "at_risk" : "" }, h("b", {}, risk), " tight"),
  );
  byId("plan-facts").textContent = planFacts(store.board.plan);
  byId("plan-facts").title = (store.board.plan?.figures.off_roads || []).join("\n");
}

function planFacts(plan) {
  if (!plan) return "This day has not been planned yet.";
  const roads = `${plan.roads}${plan.roads_estimated ? " (estimated)" : ""}`;
  if (plan.engine === "none") return `Planned ${clock(plan.made_at)}: nothing was left to plan.`;
  return `Planned ${clock(plan.made_at)} by ${plan.engine} in ${plan.seconds.toFixed(1)} s · travel times: ${roads}`;
}

function select(id) {
  const before = store.selected;
  store.select(id);
  detail.show(id);
  map.show(id);
  if (id === null && before) timeline.box(before)?.focus({ preventScroll: true });
}

// --- the bar

function dayLinks() {
  const shift = (days) => {
    const date = new Date(`${store.day}T12:00:00Z`);
    date.setUTCDate(date.getUTCDate() + days);
    return `/board?day=${date.toISOString().slice(0, 10)}`;
  };
  byId("day-before").href = shift(-1);
  byId("day-after").href = shift(1);
  byId("day").addEventListener("change", (event) => event.target.value && event.target.form.submit());
}

function tools() {
  const zoom = (factor) => { timeline.zoom = factor; timeline.draw(); };
  byId("zoom-in").addEventListener("click", () => zoom(Math.min(6, timeline.zoom * 1.5)));
  byId("zoom-out").addEventListener("click", () => zoom(Math.max(1, timeline.zoom / 1.5)));
  byId("zoom-fit").addEventListener("click", () => zoom(1));
  byId("plan").addEventListener("click", plan);
  byId("mend-day").addEventListener("click", () => mend.show());
}

async function plan() {
  const button = byId("plan");
  button.disabled = true;
  button.textContent = "Planning…";
  try {
    const made = await post("/api/plan", { day: store.day });
    const left = made.unassigned.length;
    const said = `${made.planned} jobs planned, ${made.changed} of them anew${left ? `; ${left} left out, each with its reason` : ""}.`;
    const refused = made.refused.map(([number, why]) => `${number}: ${why}`).join(". ");
    toast(refused ? `${said} Not moved: ${refused}. Plan the day again.` : said, refused ? "bad" : undefined);
  } catch (refusal) {
    toast(`The day was not planned: ${refusal.message}`, "bad");
  } finally {
    button.disabled = false;
    button.textContent = "Plan the day";
  }
}

function legend() {
  const line = (sign, words) => h("p", {}, sign, ` ${words}`);
  byId("legend").append(
    ...Object.entries(STATES).map(([state, words]) => line(h("span", { class: `sample s-${state}` }, icon(state)), words)),
    line(h("span", { class: "sample travel-sample" }), "travel"),
    line(h("span", { class: "sample window-sample" }), "promised window"),
    line(h("span", { class: "sample" }, icon("lock")), "started: cannot be moved"),
    line(h("span", { class: "sample" }, icon("emergency")), "emergency"),
    line(h("span", { class: "sample" }, icon("link")), "depends on another job"),
    h("p", { class: "hint" }, "Thin lines on the map show the order of visits; the chosen technician's line follows the streets."),
  );
}

function toast(sentence, kind = "") {
  const toasts = byId("toasts");
  if (kind === "move") toasts.querySelector(".move")?.remove();
  const note = h("p", { class: `toast ${kind}` }, sentence);
  toasts.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 12000 : 6000);
}
