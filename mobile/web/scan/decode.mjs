// Barcode decoders, for the page (live picture) and for the Python worker (photos). All files are our own origin's.
// Each is a function (ImageData, formats) → codes, each {text, symbology, identifier, at}: `identifier` is AIM's, as
// "]C1", empty when unknown; `at` is the middle of the code in pixels. ZXing reads every symbology; ZBar is the second
// opinion for one-dimensional codes and QR, and reads shadowed and glared labels that ZXing misses; the browser's own
// decoder, where it has one, is the third.
const vendor = new URL("../vendor/", import.meta.url).href;

// What is printed on equipment. ITF and Codabar stay off: with them, tilted labels gave short false numbers.
export const EQUIPMENT = ["Code128", "Code39", "EAN13", "EAN8", "UPCA", "UPCE", "DataMatrix", "QRCode"];
const ZBAR_NAMES = {
  ZBAR_CODE128: "Code128", ZBAR_CODE39: "Code39", ZBAR_EAN13: "EAN13", ZBAR_EAN8: "EAN8",
  ZBAR_UPCA: "UPCA", ZBAR_UPCE: "UPCE", ZBAR_QRCODE: "QRCode",
};

const NATIVE_NAMES = {
  code_128: "Code128", code_39: "Code39", ean_13: "EAN13", ean_8: "EAN8", upc_a: "UPCA", upc_e: "UPCE",
  data_matrix: "DataMatrix", qr_code: "QRCode",
};

let zxing, zbar, native;

export function loadZxing() {
  zxing ??= import(`${vendor}zxing-wasm/es/reader/index.js`).then(async (module) => {
    await module.prepareZXingModule({
      overrides: { locateFile: () => `${vendor}zxing-wasm/zxing_reader.wasm` }, fireImmediately: true,
    });
    return module;
  });
  return zxing;
}

export function loadZbar() {
  zbar ??= import(`${vendor}zbar-wasm/index.mjs`).then((module) => {
    module.setModuleArgs({ locateFile: () => `${vendor}zbar-wasm/zbar.wasm` });
    return module;
  });
  return zbar;
}

const middle = (corners) => ["x", "y"].map((axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length);

export async function readZxing(image, formats = EQUIPMENT) {
  const module = await loadZxing();
  const codes = await module.readBarcodes(image, { formats, tryHarder: true, textMode: "Plain" });
  return codes.filter((code) => code.isValid).map((code) => ({
    text: code.text, symbology: String(code.format), identifier: code.symbologyIdentifier || "",
    at: middle([code.position.topLeft, code.position.topRight, code.position.bottomRight, code.position.bottomLeft]),
  }));
}

export async function readZbar(image, formats = EQUIPMENT) {
  const module = await loadZbar();
  const codes = await module.scanImageData(image);
  return codes
    .map((code) => ({
      text: code.decode(), symbology: ZBAR_NAMES[code.typeName], identifier: "", at: middle(code.points),
    }))
    .filter((code) => formats.includes(code.symbology));
}

/** The browser's own decoder; nothing where it has none. */
export async function readNative(image, formats = EQUIPMENT) {
  native ??= globalThis.BarcodeDetector?.getSupportedFormats()
    .then((has) => new BarcodeDetector({ formats: has.filter((name) => name in NATIVE_NAMES) }))
    .catch(() => null);
  const codes = await (await native)?.detect(image).catch(() => []) ?? [];
  return codes
    .map((code) => ({
      text: code.rawValue, symbology: NATIVE_NAMES[code.format], identifier: "", at: middle(code.cornerPoints),
    }))
    .filter((code) => formats.includes(code.symbology));
}

/** What one frame of the live picture shows. The second opinions take turns, for each costs as much as the first. */
export async function readFrame(image, frame) {
  const codes = await readZxing(image);
  return codes.length ? codes : (frame % 2 ? readZbar : readNative)(image);
}

export async function pixels(bytes, sideMax, turn = 0, stretch = false) {
  const picture = await createImageBitmap(new Blob([bytes]));
  const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
  const [width, height] = [Math.round(picture.width * scale), Math.round(picture.height * scale)];
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  if (stretch) context.filter = "blur(0.8px) contrast(1.8)";
  context.translate(width / 2, height / 2);
  context.rotate((turn * Math.PI) / 180);
  context.drawImage(picture, -width / 2, -height / 2, width, height);
  picture.close();
  return context.getImageData(0, 0, width, height);
}

/** All codes in a picture file. Tries harder step by step and stops at the first step that reads anything. */
export async function readPicture(bytes, millisecondsMax = 2000, formats = EQUIPMENT) {
  const until = performance.now() + millisecondsMax;
  const plain = await pixels(bytes, 2400);
  const steps = [
    () => readBoth(plain, formats),
    () => readNative(plain, formats),
    async () => readBoth(await pixels(bytes, 2400, 0, true), formats),
    ...[15, -15, 30, -30, 45].map((turn) => async () => readZxing(await pixels(bytes, 1600, turn), formats)),
  ];
  for (const step of steps) {
    const codes = await step();
    if (codes.length || performance.now() > until) return codes;
  }
  return [];
}

/** ZXing's codes, and those that ZBar alone reads: a whole label counts, not its first code. */
async function readBoth(image, formats) {
  const codes = await readZxing(image, formats);
  const known = new Set(codes.map((code) => code.text));
  return [...codes, ...(await readZbar(image, formats)).filter((code) => !known.has(code.text))];
}
