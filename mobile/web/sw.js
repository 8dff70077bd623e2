// Keeps one complete version of the app on the device. The builder fills in VERSION and FILES.
"use strict";
const VERSION = "app-%VERSION%";
const FILES = %FILES%;
// What belongs to the server is never answered from here.
const SERVER_PATHS = /^\/(api|sync|attachments)(\/|$)/;

// All or nothing: one missing file fails the install and the old version stays. There is no skipWaiting,
// because a running page must not get files of another version.
self.addEventListener("install", (event) => event.waitUntil((async () => {
  const cache = await caches.open(VERSION);
  await Promise.all(FILES.map(async (file) => {
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
    return (await cache.match(key, { ignoreSearch: true })) ?? fetch(request);
  })());
});
