// Make a camera picture small enough to keep and send. Runs in the Python worker.
export async function shrink(bytes, sideMax, quality) {
  const picture = await createImageBitmap(new Blob([bytes])); // turns it upright by its EXIF data
  const scale = Math.min(1, sideMax / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff"; // JPEG has no transparency
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  picture.close();
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality });
  return { jpeg: new Uint8Array(await blob.arrayBuffer()), width, height };
}
