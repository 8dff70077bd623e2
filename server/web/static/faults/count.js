// The badge beside "Faults" on every page.

const EVERY_MS = 30000;
const badge = document.getElementById("fault-count");

async function count() {
  if (document.hidden) return;
  try {
    const answer = await fetch("/api/faults/counts", { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const { open, unsafe } = await answer.json();
    badge.textContent = open;
    badge.hidden = open === 0;
    badge.classList.toggle("late", unsafe > 0);
    badge.title = unsafe ? `${unsafe} not safe` : "reported by technicians";
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
