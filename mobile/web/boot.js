// Runs on the page, first of all scripts: checks the browser, keeps the splash truthful, starts Python early,
// and sets up the service worker once the app is on screen.
(() => {
  "use strict";
  const splash = document.getElementById("splash");
  const say = (text) => { const line = document.getElementById("splash-status"); if (line) line.textContent = text; };
  const stop = (text) => { splash?.classList.add("stopped"); say(text); };
  const SCANNER = { least: 4, aKey: 100, pause: 250 }; // characters; milliseconds: a hand needs more for each
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

  // The list that Python left here the last time (mobile/first_screen.py), until the app itself is on screen.
  const today = JSON.parse(localStorage.getItem("today") || "null");
  if (today && Date.now() < today.until) {
    const make = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });
    const list = make("ol", "", "");
    for (const { over, starts, state, heading, lines } of today.cards) {
      const card = make("li", over ? "over" : "", "");
      const top = make("p", "top", "");
      top.append(make("b", "", starts), make("strong", "", heading), make("span", "", state));
      card.append(top, ...lines.map((line) => make("p", "", line)));
      list.append(card);
    }
    splash.classList.add("today");
    splash.replaceChildren(make("h1", "", today.date), splash.querySelector("#splash-status"), splash.querySelector(".bar"),
      make("h2", "", today.done), list);
    say(today.as_of);
    mark("today");
  }

  // Python boots for seconds and needs nothing from Flutter, so its worker starts now; python.js takes it over.
  const base = document.baseURI;
  let early = new Worker(`${base}python-worker.js`, { type: "module", name: pageId });
  early.postMessage({ preload: { pyodideUrl: flet.pyodideUrl, build: truckroll.build } });
  window.truckroll.takeWorker = (url) => {
    const worker = early ?? new Worker(url, { type: "module", name: pageId });
    early = null;
    return worker;
  };

  if (!splash.classList.contains("today") && !navigator.serviceWorker.controller) say("First start: downloading about 10 MB. Later starts need no network.");
  let markStarted;
  // Python has sent its first screen. Two frames later Flutter has painted it.
  const opened = () => requestAnimationFrame(() => requestAnimationFrame(() => {
    splash.remove();
    mark("screen");
    markStarted();
  }));
  const started = new Promise((resolve) => { markStarted = resolve; });
  const connect = globalThis.jsConnect;
  globalThis.jsConnect = async (...parameters) => {
    mark("flutter");
    try {
      await connect(...parameters);
      mark("python");
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
  const facts = { persisted: null, update: false, offlineReady: !!navigator.serviceWorker.controller, dictation: false, passkey: false };
  const tell = () => toPage.postMessage({ kind: "facts", ...facts });
  const keepState = async (name, text) => (await caches.open("state")).put(name, new Response(text));
  keepState("unsent", "unknown"); // until Python has counted
  toPage.onmessage = ({ data }) => {
    if (data?.kind === "ask") tell();
    if (data?.kind === "opened") opened();
    if (data?.kind === "today") localStorage.setItem("today", data.text);
    if (data?.kind === "veil") cover(!!data.text);
    if (data?.kind === "unveil") unveil();
    if (data?.kind === "ear") ear = !!data.text;
    if (data?.kind === "unsent") keepState("unsent", data.text);
    if (data?.kind === "update") navigator.serviceWorker.controller?.postMessage("take-update");
  };

  // With the accessible tree on, Flutter lets no key through to a field that takes the focus by itself, until the
  // view's own focus comes back. Where no field has taken it, nothing moves by that.
  const listen = () => {
    const view = document.querySelector("flutter-view");
    if (!view || ![view, document.body].includes(document.activeElement)) return;
    if (performance.now() - last < SCANNER.pause) return; // someone is typing: leave the focus to Flutter
    view.blur();
    setTimeout(() => { if (document.activeElement === document.body) view.focus(); }, 50);
  };
  const isField = (node) => node.matches?.("flt-semantics input, flt-semantics textarea")
    || node.querySelector?.("flt-semantics input, flt-semantics textarea");
  new MutationObserver((changes) => {
    if (!changes.some(({ addedNodes }) => [...addedNodes].some(isField))) return;
    for (const milliseconds of [100, 600]) setTimeout(listen, milliseconds); // the screen slides in first
  }).observe(document.body, { childList: true, subtree: true });

  // A wedge scanner types faster than a hand, wherever the focus is; and while a screen slides in, that wanders,
  // and letters fall beside the field. Then the page, which hears all of them, says the whole code. What stands
  // at the end of the field, as it was typed, is Flutter's to submit.
  let ear = false;
  let code = "";
  let began = 0;
  let last = 0;
  addEventListener("keydown", (event) => {
    if (event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    const now = event.timeStamp;
    if (now - last > SCANNER.pause) code = "";
    if (event.key.length === 1) {
      if (!code) began = now;
      code += event.key;
      last = now;
    } else if (event.key === "Enter") {
      const scanned = code.length >= SCANNER.least && now - began <= SCANNER.aKey * code.length ? code : "";
      code = "";
      if (!ear || !scanned || document.activeElement?.value?.endsWith(scanned)) return;
      event.preventDefault();
      event.stopPropagation();
      toPage.postMessage({ kind: "scanned", text: scanned });
    }
  }, { capture: true });

  // Signs of life for the lock (mobile/auto_lock.py): a scroll or a key that no control tells of is one too.
  let touchedAt = 0;
  const touched = () => {
    if (Date.now() - touchedAt < 5000) return;
    touchedAt = Date.now();
    toPage.postMessage({ kind: "touched" });
  };
  for (const kind of ["pointerdown", "keydown", "wheel"]) addEventListener(kind, touched, { capture: true, passive: true });

  // With a PIN, what was on the screen is covered while nobody may look, also in the list of open apps, until
  // Python has said whether it is time to ask for the PIN. Each start begins locked: before Python is there to
  // uncover it, nothing needs a cover.
  const veil = Object.assign(document.createElement("div"), { id: "veil", hidden: true });
  document.body.append(veil);
  let veiled = false;
  const cover = (wanted) => { veiled = wanted; if (!wanted) veil.hidden = true; };
  const unveil = () => requestAnimationFrame(() => requestAnimationFrame(() => { veil.hidden = true; }));
  let hiddenAt = 0;
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      hiddenAt = Date.now();
      veil.hidden = !veiled;
    } else {
      toPage.postMessage({ kind: "seen", seconds: (Date.now() - hiddenAt) / 1000 });
    }
  });

  // Where this device is, for mobile/device/place.py. The browser asks its owner first, and only when asked to.
  const places = new BroadcastChannel(`place-${pageId}`);
  places.onmessage = ({ data }) => {
    if (data?.kind !== "where") return;
    const answer = (found) => places.postMessage({ kind: "here", ...found });
    if (!navigator.geolocation) return answer({ lat: null });
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => answer({ lat: coords.latitude, lon: coords.longitude, accuracy: coords.accuracy }),
      () => answer({ lat: null }), { enableHighAccuracy: true, timeout: 9000, maximumAge: 30000 });
  };

  // Speech into text, for mobile/device/speech.py.
  const Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;
  facts.dictation = !!Recognition;
  const speech = new BroadcastChannel(`speech-${pageId}`);
  let recognition = null;
  speech.onmessage = ({ data }) => {
    if (data?.kind === "stop") recognition?.stop();
    if (data?.kind !== "listen") return;
    recognition?.abort();
    const mine = recognition = Object.assign(new Recognition(), { lang: data.language, continuous: true, interimResults: false });
    let why = "";
    mine.onresult = ({ results, resultIndex }) => {
      for (const result of [...results].slice(resultIndex)) {
        if (result.isFinal) speech.postMessage({ kind: "said", text: result[0].transcript.trim() });
      }
    };
    mine.onerror = ({ error }) => { why = error; };
    mine.onend = () => { if (recognition === mine) { recognition = null; speech.postMessage({ kind: "ended", why }); } };
    try { mine.start(); } catch (error) { speech.postMessage({ kind: "ended", why: String(error) }); }
  };

  // The device's own check of its owner, for mobile/device/passkey.py. All of it happens on the device.
  globalThis.PublicKeyCredential?.isUserVerifyingPlatformAuthenticatorAvailable?.()
    .then((can) => { facts.passkey = can; tell(); }).catch(() => {});
  const passkey = new BroadcastChannel(`passkey-${pageId}`);
  const random = () => crypto.getRandomValues(new Uint8Array(32));
  const text64 = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)));
  const bytes64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const USER_VERIFIED = 4; // among the flags, behind the 32 bytes of the site's digest
  passkey.onmessage = async ({ data }) => {
    if (data?.kind === "create") {
      const made = await navigator.credentials.create({ publicKey: {
        challenge: random(), rp: { name: document.title || "Truckroll" },
        user: { id: random(), name: data.name, displayName: data.name },
        pubKeyCredParams: [-7, -257].map((alg) => ({ type: "public-key", alg })),
        authenticatorSelection: { authenticatorAttachment: "platform", userVerification: "required" },
      } }).catch(() => null);
      passkey.postMessage({ kind: "made", key: made && text64(made.rawId) });
    }
    if (data?.kind === "check") {
      const found = await navigator.credentials.get({ publicKey: {
        challenge: random(), userVerification: "required",
        allowCredentials: [{ type: "public-key", id: bytes64(data.key), transports: ["internal"] }],
      } }).catch(() => null);
      const verified = found && new Uint8Array(found.response.authenticatorData)[32] & USER_VERIFIED;
      passkey.postMessage({ kind: "checked", key: verified ? text64(found.rawId) : null });
    }
  };

  // Ask the browser not to clear our data when the disk runs full. Not available inside the worker.
  navigator.storage.persist?.().then((granted) => { facts.persisted = granted; tell(); });

  // Where the phone is, for a technician who asked for it (mobile/device/position.py). It goes to this page's worker only.
  const positions = new BroadcastChannel(`position-${pageId}`);
  let watching = null;
  const unwatch = () => { if (watching !== null) navigator.geolocation.clearWatch(watching); watching = null; };
  positions.onmessage = ({ data }) => {
    if (data?.kind === "stop") unwatch();
    if (data?.kind !== "watch") return;
    unwatch();
    if (!navigator.geolocation) { positions.postMessage({ kind: "none" }); return; }
    watching = navigator.geolocation.watchPosition(
      ({ coords: { latitude: lat, longitude: lon, accuracy } }) => positions.postMessage({ kind: "at", lat, lon, accuracy }),
      ({ code, PERMISSION_DENIED }) => { if (code === PERMISSION_DENIED) positions.postMessage({ kind: "none" }); },
      { enableHighAccuracy: true, maximumAge: 15000 },
    );
  };

  // Letters that were fetched before the worker was there pass through it once, and are kept.
  const keepFonts = () => performance.getEntriesByType("resource").map(({ name }) => name)
    .filter((name) => name.includes("/assets/fonts/noto")).forEach((name) => fetch(name).catch(() => {}));
  // Which of the renderers Flutter has loaded, by the end of its file's address.
  const renderer = () => performance.getEntriesByType("resource")
    .map(({ name }) => name.match(/canvaskit\/.*\.wasm$/)?.[0]).find(Boolean) ?? "";

  // Registered once the app is usable: fetching the offline copy during the start makes the start half as long again.
  const settle = () => new Promise((resolve) => setTimeout(resolve, 500));
  started.then(settle).then(async () => {
    const workers = navigator.serviceWorker;
    workers.onmessage = ({ data }) => {
      if (data?.kind === "version") { facts.update = data.update; tell(); }
      if (data?.kind === "reload") location.reload();
    };
    workers.controller?.postMessage("opened");
    workers.controller?.postMessage("ask");
    workers.oncontrollerchange = () => { facts.offlineReady = true; mark("offline-ready"); tell(); keepFonts(); };
    await workers.register(`sw.js?renderer=${renderer()}`);
  }).catch((error) => console.warn("The app will not start offline:", error));
})();
