// Keeps the customer's page up to date. Without this file the page reloads itself every minute.
const visit = document.getElementById("visit");
const lost = document.getElementById("lost");
const address = visit.dataset.events;
const PATIENCE_MS = 4000; // a short break is nobody's business

if (address) follow(address);

function follow(url) {
  const source = new EventSource(url);
  let worry = 0;
  const calm = () => { clearTimeout(worry); worry = 0; lost.hidden = true; };
  source.onopen = calm;
  source.addEventListener("visit", (event) => {
    visit.innerHTML = JSON.parse(event.data); // rendered by our own server, every value escaped there
    calm();
  });
  source.addEventListener("end", () => { calm(); source.close(); });
  source.onerror = () => {
    worry ||= setTimeout(() => { lost.hidden = false; }, PATIENCE_MS);
    if (source.readyState === EventSource.CLOSED) {
      // The server answered, but not with a stream: the link may be over. Ask for the page itself.
      setTimeout(() => location.reload(), 30000);
    }
  };
}
