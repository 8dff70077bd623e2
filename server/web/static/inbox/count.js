// The badge beside "Inbox" on every page, and on the inbox itself a word when the list is no longer true.

const EVERY_MS = 10000;
const badge = document.getElementById("inbox-count");

function show({ open, overdue }) {
  badge.textContent = open;
  badge.hidden = open === 0;
  badge.classList.toggle("late", overdue > 0);
  badge.title = overdue ? `${overdue} for more than 4 hours` : "waiting for a decision";
  const list = document.querySelector("main[data-open]");
  const note = document.getElementById("changed");
  if (list && note) note.hidden = Number(list.dataset.open) === open;
}

async function count() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/inbox/counts", { headers: { Accept: "application/json" } });
    if (answer.ok) show(await answer.json());
  } catch {
    // The server is away: the number stays, and the next try comes.
  }
}

if (badge) {
  count();
  setInterval(count, EVERY_MS);
  document.addEventListener("visibilitychange", count);
  document.addEventListener("htmx:after:swap", count);
}
