// Runs Python and speaks Flet's protocol with python.js, in place of Flet's own worker. Python's start is
// most of what the technician waits for, so the first one of each build keeps an image of Python's memory
// (docs/adr/0024), taken before anything of this device is in it. Later starts begin there.
"use strict";
const HOME = "/app";
const IMAGE_AFTER_MS = 4000;

self.flet_js = { import_module: (url) => import(url) };
flet_js.receive_callback = (message) => {
  const bytes = message.toJs();
  postMessage(bytes, [bytes.buffer]);
};

const streams = { stdout: (text) => console.log(text), stderr: (text) => console.error(text) };
const bytesOf = async (path) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
};

const images = (build) => `image-${build}`;

async function readImage(build) {
  const kept = await (await caches.match("image", { cacheName: images(build) }))?.arrayBuffer();
  return kept && new Uint8Array(kept);
}

async function keepImage(build, image) {
  for (const name of await caches.keys()) {
    if (name.startsWith("image-") && name !== images(build)) await caches.delete(name);
  }
  await (await caches.open(images(build))).put("image", new Response(image));
}

async function makeImage(loadPyodide, archive) {
  const python = await loadPyodide({ ...streams, _makeSnapshot: true });
  python.FS.mkdirTree(HOME);
  python.FS.writeFile(`${HOME}/app.zip`, await archive);
  python.runPython(`
import sys
sys.path.insert(0, "${HOME}/app.zip")
from mobile.device.image import prepare
prepare("${HOME}/app.zip")
`);
  return python.makeMemorySnapshot();
}

// Pyodide writes an image back only into memory that is large enough already.
async function roomFor(image, pyodideUrl) {
  const { default: create } = await import(new URL("pyodide.asm.mjs", new URL(pyodideUrl, self.location.href)));
  return async (settings) => {
    const module = await create(settings);
    module.growMemory(image.length);
    return module;
  };
}

async function startPython(pyodideUrl, build, archive) {
  const { loadPyodide } = await import(pyodideUrl);
  try {
    const kept = await readImage(build);
    // This Python is never used itself: while it can be imaged, it sees JavaScript only through wrappers.
    const image = kept ?? await makeImage(loadPyodide, archive);
    const create = await roomFor(image, pyodideUrl);
    const python = await loadPyodide({ ...streams, _loadSnapshot: image, createPyodideModule: create });
    // Not now: writing so much would slow down the start.
    if (!kept) setTimeout(() => keepImage(build, image).catch((error) => console.warn("no image kept:", error)), IMAGE_AFTER_MS);
    return python;
  } catch (error) {
    console.warn("Python starts without an image:", error);
    await caches.delete(images(build));
    return loadPyodide(streams);
  }
}

async function boot({ pyodideUrl, build }) {
  const archive = bytesOf("app.zip"), files = bytesOf("files.zip");
  const python = await startPython(pyodideUrl, build, archive);
  python.FS.mkdirTree(`${HOME}/files`);
  python.FS.writeFile(`${HOME}/app.zip`, await archive);
  python.unpackArchive(await files, "zip", { extractDir: `${HOME}/files` });
  return python;
}

let booting = null;
const started = (request) => (booting ??= boot(request));

async function run(request) {
  try {
    const python = await started({ pyodideUrl: request.pyodideUrl, build: "unknown" });
    flet_js.documentUrl = request.documentUrl;
    python.registerJsModule("flet_js", flet_js);
    await python.runPythonAsync(`
import importlib, os, random, runpy, sys
sys.path[:0] = ["${HOME}/files", "${HOME}/app.zip"]
os.chdir("${HOME}/files")
importlib.invalidate_caches()
random.seed()  # an image would give the same numbers at each start
runpy.run_module("main", run_name="__main__")
`);
    await flet_js.start_connection(flet_js.receive_callback);
    postMessage("initialized");
  } catch (error) {
    postMessage(String(error));
  }
}

let running = false;
self.onmessage = ({ data }) => {
  if (data?.preload) started(data.preload).catch(() => {}); // reported when Flutter asks
  else if (!running) { running = true; run(data); }
  else if (flet_js.send) flet_js.send(data);
};
