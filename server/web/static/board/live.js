// Live changes, and the truth about whether they arrive.

const PATIENCE_MS = 2500; // a reconnect within this time is nobody's business
const RETRY_MS = 3000;

export class LiveFeed {
  // `hear(event, data)` gets every message; `say(state, sentence)` is told "on", "off" or "signed-out".
  constructor(day, after, hear, say) {
    this.day = day;
    this.after = after;
    this.hear = hear;
    this.say = say;
    this.worry = 0;
    this.lostAt = null;
    this.open();
  }

  open() {
    const source = new EventSource(`/api/board/events?day=${this.day}&after=${encodeURIComponent(this.after)}`);
    this.source = source;
    source.onopen = () => {
      clearTimeout(this.worry);
      this.worry = 0;
      this.say("on", this.lostAt ? "Live again. What was missed has been caught up." : "");
      this.lostAt = null;
    };
    for (const name of ["work_order", "work_order_gone", "held", "held_gone", "plan"]) {
      source.addEventListener(name, (event) => {
        this.after = event.lastEventId || this.after;
        this.hear(name, JSON.parse(event.data));
      });
    }
    source.addEventListener("reload", () => {
      source.close();
      this.hear("reload", null);
    });
    source.onerror = () => this.broken(source);
  }

  close() {
    clearTimeout(this.worry);
    this.source.close();
  }

  broken(source) {
    this.lostAt ||= new Date();
    this.worry ||= setTimeout(() => this.say("off", ""), PATIENCE_MS);
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
    setTimeout(() => this.ask(), RETRY_MS);
  }

  // The server answered without a stream. Is it us, or is it the server?
  async ask() {
    try {
      const response = await fetch("/api/session");
      if (response.status === 401) {
        clearTimeout(this.worry);
        this.say("signed-out", "");
        return;
      }
    } catch {
      // Not reachable: go on trying.
    }
    this.open();
  }
}
