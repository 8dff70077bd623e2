// Keeps one complete version of the app on the device. The builder fills in the three constants.
"use strict";
const VERSION = "app-%VERSION%";
const FILES = %FILES%;
// Kept from the first use on, also by the versions that follow.
const KEPT_WHEN_USED = %KEPT_WHEN_USED%;
// What belongs to the server is never answered from here.
const SERVER_PATHS = /^\/(api|sync|attachments)(\/|$)/;

// All or nothing: one missing file fails the install and the old version stays. There is no skipWaiting,
// because a running page must not get files of another version.
self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(VERSION);
  const used = await Promise.all(KEPT_WHEN_USED.map((file) => caches.match(file)));
  const wanted = [...FILES, ...KEPT_WHEN_USED.filter((_, place) => used[place])];
  await Promise.all(wanted.map(async (file) => {
    const response = await fetch(new Request(file, { cache: "no-cache" }));
    if (!response.ok) throw new Error(`${file}: ${response.status}`);
    await cache.put(file, response);
  }));
})()));

self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) {
    if (name.startsWith("app-") && name !== VERSION) await caches.delete(name);
  }
  await self.clients.claim();
})()));

// The technician accepted the update.
self.addEventListener("message", (event) => {
  if (event.data === "activate-now") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const ours = url.href.startsWith(self.registration.scope);
  if (request.method !== "GET" || !ours || SERVER_PATHS.test(url.pathname)) return;
  event.respondWith((async () => {
    const cache = await caches.open(VERSION);
    const key = request.mode === "navigate" ? "./" : request;
    const kept = await cache.match(key, { ignoreSearch: true });
    if (kept) return kept;
    const response = await fetch(request);
    const name = url.href.slice(self.registration.scope.length);
    if (response.ok && KEPT_WHEN_USED.includes(name)) await cache.put(name, response.clone());
    return response;
  })());
});
