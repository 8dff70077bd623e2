// The live scanner: the camera's picture over the whole page, decoded frame by frame. Python asks for it and
// judges what was read, over one channel per page:
//   from Python   {kind: "start", title, hint, words}  {kind: "stop"}  {kind: "hint", text}
//                 {kind: "signal", tone: "yes" | "ask" | "no"}
//   to Python     {kind: "frame", codes}  {kind: "closed", why: "cancelled" | "typed" | "timeout"}
//                 {kind: "failed", name, text}
(() => {
  "use strict";
  if (!window.truckroll?.ready) return;
  const channel = new BroadcastChannel(`scan-${truckroll.pageId}`);
  let running = null;

  function element(tag, properties = {}, children = []) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function overlay({ title, hint, words }, close) {
    const button = (text, className, onclick) => element("button", { type: "button", textContent: text, className, onclick });
    const video = element("video", { playsInline: true, muted: true });
    const line = element("p", { textContent: hint ?? "", className: "scan-hint" });
    line.setAttribute("aria-live", "polite");
    const torch = button(words?.light ?? "Light", "scan-torch", () => {});
    torch.hidden = true;
    const root = element("div", { id: "scan-overlay" }, [
      video,
      element("div", { className: "scan-frame" }),
      element("header", {}, [element("h2", { textContent: title ?? "Scan" }), line]),
      element("footer", {}, [
        button(words?.cancel ?? "Cancel", "scan-cancel", () => close("cancelled")),
        torch,
        button(words?.type ?? "Type instead", "scan-type", () => close("typed")),
      ]),
    ]);
    root.setAttribute("role", "dialog");
    root.setAttribute("aria-modal", "true");
    root.setAttribute("aria-label", title ?? "Scan");
    root.addEventListener("keydown", (event) => { if (event.key === "Escape") close("cancelled"); });
    document.body.append(root);
    root.querySelector(".scan-cancel").focus();
    return { root, video, line, torch };
  }

  // Not every phone has a light that a page may switch.
  function offerTorch(torch, stream) {
    const [track] = stream.getVideoTracks();
    if (!track.getCapabilities?.().torch) return;
    let on = false;
    torch.hidden = false;
    torch.onclick = async () => {
      on = !on;
      await track.applyConstraints({ advanced: [{ torch: on }] }).catch(() => { torch.hidden = true; });
      torch.setAttribute("aria-pressed", String(on));
    };
  }

  // Rising is yes, level asks, falling is no; each also feels different in the hand.
  const SIGNALS = {
    yes: { hertz: [660, 990], vibration: [60] },
    ask: { hertz: [660, 660], vibration: [60, 80, 60] },
    no: { hertz: [330, 220], vibration: [250, 80, 250] },
  };
  let sound = null;

  function signal(tone) {
    const { hertz, vibration } = SIGNALS[tone];
    navigator.vibrate?.(vibration);
    sound ??= new AudioContext();
    hertz.forEach((frequency, place) => {
      const from = sound.currentTime + place * 0.12;
      const oscillator = sound.createOscillator();
      const volume = sound.createGain();
      oscillator.frequency.value = frequency;
      volume.gain.setValueAtTime(0.2, from);
      volume.gain.linearRampToValueAtTime(0, from + 0.11);
      oscillator.connect(volume).connect(sound.destination);
      oscillator.start(from);
      oscillator.stop(from + 0.12);
    });
  }

  async function start(request) {
    running?.stop();
    const session = { on: true, stop: () => {} };
    running = session;
    const close = (why) => {
      if (!session.on) return;
      session.stop();
      channel.postMessage({ kind: "closed", why });
    };
    const view = overlay(request, close);
    session.stop = () => {
      session.on = false;
      view.root.remove();
      view.video.srcObject?.getTracks().forEach((track) => track.stop());
      clearTimeout(session.timer);
    };
    session.hint = (text) => { view.line.textContent = text; };
    session.timer = setTimeout(() => close("timeout"), (request.seconds ?? 60) * 1000);

    const decoding = import(new URL("scan/decode.mjs", document.baseURI)).then(async (module) => {
      await module.loadZxing();
      return module;
    });
    decoding.catch(() => {}); // reported below, where it is awaited
    const stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } },
    });
    view.video.srcObject = stream;
    if (!session.on) { session.stop(); return; }
    offerTorch(view.torch, stream);
    await view.video.play();
    const decoder = await decoding;

    const canvas = new OffscreenCanvas(1, 1);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    for (let frame = 0; session.on; frame++) {
      [canvas.width, canvas.height] = [view.video.videoWidth, view.video.videoHeight];
      context.drawImage(view.video, 0, 0);
      const codes = await decoder.readFrame(context.getImageData(0, 0, canvas.width, canvas.height), frame);
      // A code in one frame is a candidate; Python says when it is more.
      if (session.on) channel.postMessage({ kind: "frame", codes });
      await new Promise((resolve) => (
        view.video.requestVideoFrameCallback ? view.video.requestVideoFrameCallback(resolve) : setTimeout(resolve, 60)));
    }
  }

  channel.onmessage = ({ data }) => {
    if (data?.kind === "start") {
      start(data).catch((error) => {
        running?.stop();
        channel.postMessage({ kind: "failed", name: error.name ?? "Error", text: String(error.message ?? error) });
      });
    }
    if (data?.kind === "stop") running?.stop();
    if (data?.kind === "hint") running?.hint?.(data.text);
    if (data?.kind === "signal") signal(data.tone);
  };
})();
