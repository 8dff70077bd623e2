// Keeps complete versions of the app on the device and serves one of them whole: the one that STATE names. A newer
// one is taken only when nothing is unsent, and the one before stays until the newer has opened.
// The builder fills in VERSION, FILES, KEPT_WHEN_USED and RENDERERS.
"use strict";
const VERSION = "app-%VERSION%";
const FILES = %FILES%;
// Kept from the first use on, also by the versions that follow.
const KEPT_WHEN_USED = %KEPT_WHEN_USED%;
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
  const used = await Promise.all(KEPT_WHEN_USED.map((file) => caches.match(file)));
  const wanted = [...KEPT, ...KEPT_WHEN_USED.filter((_, place) => used[place])];
  await Promise.all(wanted.map(async (file) => {
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
    const cacheName = current ?? VERSION;
    const kept = await caches.match(key, { cacheName, ignoreSearch: true });
    if (kept) return kept;
    const response = await fetch(request);
    const name = url.href.slice(self.registration.scope.length);
    if (response.ok && KEPT_WHEN_USED.includes(name)) await (await caches.open(cacheName)).put(name, response.clone());
    return response;
  })());
});
