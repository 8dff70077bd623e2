// Runs on the page, first of all scripts: checks the browser, keeps the splash truthful, starts Python early,
// and sets up the service worker once the app is on screen.
(() => {
  "use strict";
  const splash = document.getElementById("splash");
  const say = (text) => { const line = document.getElementById("splash-status"); if (line) line.textContent = text; };
  const stop = (text) => { splash?.classList.add("stopped"); say(text); };
  const mark = (name) => performance.mark(`truckroll-${name}`);

  // One name per open page, handed to its worker, so that two tabs never answer each other's messages.
  const pageId = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  window.truckroll = { pageId, build: document.documentElement.dataset.build };

  const missing = [
    ["WebAssembly", typeof WebAssembly === "object"],
    ["private file storage", typeof navigator.storage?.getDirectory === "function"],
    ["service workers", "serviceWorker" in navigator],
    ["message channels", typeof BroadcastChannel === "function"],
  ].filter(([, present]) => !present).map(([name]) => name);
  if (missing.length) {
    const why = window.isSecureContext
      ? "Use a current Chrome, Edge, Firefox or Safari, and not a private window."
      : "Open the app over https.";
    stop(`This browser can't run the app offline: it lacks ${missing.join(", ")}. ${why}`);
    return;
  }
  window.truckroll.ready = true;

  // Python boots for seconds and needs nothing from Flutter, so its worker starts now; python.js takes it over.
  const base = document.baseURI;
  let early = new Worker(`${base}python-worker.js`, { type: "module", name: pageId });
  early.postMessage({ preload: flet.pyodideUrl });
  window.truckroll.takeWorker = (url) => {
    const worker = early ?? new Worker(url, { type: "module", name: pageId });
    early = null;
    return worker;
  };

  say(navigator.serviceWorker.controller ? "Starting…" : "First start: downloading about 12 MB. Later starts need no network.");
  let markStarted;
  const started = new Promise((resolve) => { markStarted = resolve; });
  const connect = globalThis.jsConnect;
  globalThis.jsConnect = async (...parameters) => {
    mark("flutter");
    try {
      await connect(...parameters);
      mark("python");
      // Two frames later Flutter has painted what Python sent.
      requestAnimationFrame(() => requestAnimationFrame(() => { splash?.remove(); mark("screen"); markStarted(); }));
    } catch (error) {
      const text = String(error);
      stop(`The app could not start. Reload the page; if that does not help, tell support: ${text.trim().split("\n").pop()}`);
      throw error;
    }
  };

  const flutter = document.createElement("script");
  flutter.src = `${base}flutter_bootstrap.js`;
  document.body.append(flutter);

  const toPage = new BroadcastChannel(`page-${pageId}`);
  const facts = { persisted: null, update: false, offlineReady: !!navigator.serviceWorker.controller };
  const tell = () => toPage.postMessage({ kind: "facts", ...facts });
  let registration = null;
  toPage.onmessage = ({ data }) => {
    if (data?.kind === "ask") tell();
    if (data?.kind === "update") registration?.waiting?.postMessage("activate-now");
  };

  // Ask the browser not to clear our data when the disk runs full. Not available inside the worker.
  navigator.storage.persist?.().then((granted) => { facts.persisted = granted; tell(); });

  // Letters that were fetched before the worker was there pass through it once, and are kept.
  const keepFonts = () => performance.getEntriesByType("resource").map(({ name }) => name)
    .filter((name) => name.includes("/assets/fonts/noto")).forEach((name) => fetch(name).catch(() => {}));

  // Registered once the app is usable: fetching the offline copy during the start makes the start half as long again.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 500));
  started.then(settle).then(async () => {
    registration = await navigator.serviceWorker.register("sw.js");
    const watch = (worker) => worker?.addEventListener("statechange", () => {
      if (worker.state === "installed" && navigator.serviceWorker.controller) { facts.update = true; tell(); }
      if (worker.state === "activated") { facts.offlineReady = true; mark("offline-ready"); tell(); keepFonts(); }
    });
    if (registration.waiting && navigator.serviceWorker.controller) { facts.update = true; tell(); }
    watch(registration.installing);
    registration.addEventListener("updatefound", () => watch(registration.installing));
    // The update was accepted: load the new version's files, all from one version.
    let controlled = !!navigator.serviceWorker.controller;
    navigator.serviceWorker.addEventListener("controllerchange", () => {
      if (controlled) location.reload();
      controlled = true;
    });
  }).catch((error) => console.warn("The app will not start offline:", error));
})();
