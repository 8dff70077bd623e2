// Keeps complete versions of the app on the device and serves one of them whole: the one that STATE names. A newer
// one is taken only when nothing is unsent, and the one before stays until the newer has opened.
// The builder fills in VERSION, FILES and RENDERERS.
"use strict";
const VERSION = "app-%VERSION%";
const FILES = %FILES%;
// Flutter picks one of them for this browser. The page says in our address which it was.
const RENDERERS = %RENDERERS%;
const renderer = new URL(self.location.href).searchParams.get("renderer");
const KEPT = [...FILES, ...(RENDERERS[renderer] ?? [...new Set(Object.values(RENDERERS).flat())])];
// What belongs to the server is never answered from here.
const SERVER_PATHS = /^\/(api|sync|attachments)(\/|$)/;
const TRIES_MAX = 3; // starts that a newer version gets to open

// {current, before, tries, refused}: names of caches; `before` only while `current` has not opened yet.
let known = null;
const readState = async () => (known ??= (await (await caches.match("state", { cacheName: "state" }))?.json()) ?? {});
const writeState = async (state) => {
  known = state;
  await (await caches.open("state")).put("state", Response.json(state));
};
// The app says how many entries only this device has; while it has not said so, the answer is not "none".
const nothingUnsent = async () => await (await caches.match("unsent", { cacheName: "state" }))?.text() === "0";

// All or nothing: one missing file fails the install. Then this worker takes over, but not yet its files.
self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(VERSION);
  await Promise.all(KEPT.map(async (file) => {
    const response = await fetch(new Request(file, { cache: "no-cache" }));
    if (!response.ok) throw new Error(`${file}: ${response.status}`);
    await cache.put(file, response);
  }));
  await self.skipWaiting();
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const state = await readState();
  if (!(state.current && await caches.has(state.current))) await writeState({ current: VERSION });
  const { current, before } = await readState();
  for (const name of await caches.keys()) {
    if (name.startsWith("app-") && ![current, before, VERSION].includes(name)) await caches.delete(name);
  }
  await self.clients.claim();
  await tell();
})()));

async function tell() {
  const { current, refused } = await readState();
  for (const client of await self.clients.matchAll()) {
    client.postMessage({ kind: "version", update: ![current, refused].includes(VERSION) });
  }
}

const takeNew = async ({ current }) => writeState({ current: VERSION, before: current, tries: 0 });

// Before a page gets its first file: which version shall it be?
async function choose() {
  const state = await readState();
  if (state.before && state.tries >= TRIES_MAX) {
    await writeState({ current: state.before, refused: state.current });
  } else if (state.before) {
    await writeState({ ...state, tries: state.tries + 1 });
  } else if (![state.current, state.refused].includes(VERSION) && await nothingUnsent()) {
    await takeNew(state);
  }
}

self.addEventListener("message", (event) => event.waitUntil((async () => {
  const state = await readState();
  if (event.data === "ask") await tell();
  if (event.data === "take-update" && state.current !== VERSION) {
    await takeNew(state);
    event.source.postMessage({ kind: "reload" });
  }
  if (event.data === "opened") {
    const { before, tries, ...opened } = state;
    await writeState(opened);
    if (before) await caches.delete(before);
  }
})()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(self.registration.scope);
  if (request.method !== "GET" || !ours || SERVER_PATHS.test(url.pathname)) return;
  event.respondWith((async () => {
    if (request.mode === "navigate") await choose();
    const { current } = await readState();
    const key = request.mode === "navigate" ? "./" : request;
    return (await caches.match(key, { cacheName: current ?? VERSION, ignoreSearch: true })) ?? fetch(request);
  })());
});
