// The live scanner: the camera's picture over the whole page, decoded frame by frame. Python asks for it and
// judges what was read, over one channel per page:
//   from Python   {kind: "start", title, hint, words}  {kind: "stop"}  {kind: "hint", text}
//   to Python     {kind: "codes", codes}  {kind: "closed", why: "cancelled" | "typed" | "timeout"}
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
    let before = new Set();
    for (let frame = 0; session.on; frame++) {
      [canvas.width, canvas.height] = [view.video.videoWidth, view.video.videoHeight];
      context.drawImage(view.video, 0, 0);
      const image = context.getImageData(0, 0, canvas.width, canvas.height);
      let codes = await decoder.readZxing(image);
      if (!codes.length && frame % 2) codes = await decoder.readZbar(image);
      // One frame can be a misread with a valid check digit; two frames that agree hardly ever are.
      const sure = codes.filter((code) => before.has(code.text));
      before = new Set(codes.map((code) => code.text));
      if (session.on && sure.length) channel.postMessage({ kind: "codes", codes: sure });
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
  };
})();
