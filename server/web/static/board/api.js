// The way to the server: JSON with the session's token, and refusals as sentences.

const csrf = document.getElementById("main").dataset.csrf;

export class Refused extends Error {
  constructor(status, sentence) {
    super(sentence);
    this.status = status;
  }
}

export async function get(path) {
  return answer(await reach(path, { headers: { Accept: "application/json" } }));
}

export async function post(path, body = undefined) {
  return answer(
    await reach(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRF-Token": csrf },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );
}

async function reach(path, options) {
  try {
    return await fetch(path, options);
  } catch {
    throw new Refused(0, "The server cannot be reached. Nothing was changed.");
  }
}

async function answer(response) {
  const isJson = (response.headers.get("content-type") || "").includes("json");
  const body = isJson ? await response.json().catch(() => null) : null;
  if (response.ok) return body;
  const sentence = body?.detail && typeof body.detail === "string" ? body.detail : `The server said ${response.status}.`;
  throw new Refused(response.status, sentence);
}
