// PouchDB clients. A task comes as JSON on stdin; the last line of stdout is its answer as JSON.
// Times are milliseconds by one clock, of this process, and never include starting Node or making the data.
const fs = require("fs");
const PouchDB = require("pouchdb");
PouchDB.plugin(require("pouchdb-adapter-memory"));
require("events").defaultMaxListeners = 0;

const lines = (path) => fs.readFileSync(path, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const clock = () => Number(process.hrtime.bigint()) / 1e6;
const same = (a, b, what) => {
  if (a !== b) throw new Error(`${what}: ${a}, not ${b}`);
};

async function pull({ url, folder, docs, batch }) {
  const remote = new PouchDB(url);
  const rows = lines(docs);
  await remote.bulkDocs(rows);
  const local = new PouchDB(`${folder}/pulled`);
  await local.info();
  const start = clock();
  const done = await PouchDB.replicate(remote, local, batch ? { batch_size: batch } : {});
  const ms = clock() - start;
  same(done.docs_written, rows.length, "documents pulled");
  return { ms };
}

async function push({ url, folder, docs, batch }) {
  const rows = lines(docs);
  const local = new PouchDB(`${folder}/queued`);
  await local.bulkDocs(rows);
  const remote = new PouchDB(url);
  await remote.info();
  const start = clock();
  const done = await PouchDB.replicate(local, remote, batch ? { batch_size: batch } : {});
  const ms = clock() - start;
  same(done.docs_written, rows.length, "documents pushed");
  return { ms };
}

// A writes, live replication carries it to the server and on to B, who sees it: once a round.
async function live({ url, folder, rounds, pause }) {
  const [a, b] = [new PouchDB(`${folder}/a`), new PouchDB(`${folder}/b`)];
  const up = PouchDB.replicate(a, url, { live: true });
  const waiting = new Map();
  const down = PouchDB.replicate(url, b, { live: true });
  down.on("change", (change) => {
    for (const doc of change.docs) waiting.get(doc._id)?.(clock());
  });
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const spent = [];
  for (let round = 0; round < rounds; round++) {
    const id = `note-${round}`;
    const seen = new Promise((resolve) => waiting.set(id, resolve));
    const start = clock();
    await a.put({ _id: id, text: "The key is at the neighbour's ".repeat(15) });
    spent.push((await seen) - start);
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  up.cancel();
  down.cancel();
  return { spent };
}

// Each device has a database of its own on the server, as CouchDB recommends, and one in memory here.
async function crowd({ url, devices, scope, behind, commands }) {
  const all = [];
  for (let number = 0; number < devices; number++) {
    const remote = new PouchDB(`${url}dev${number}`);
    const rows = lines(scope).map((row) => ({ ...row }));
    await remote.bulkDocs(rows);
    const local = new PouchDB(`mem${number}`, { adapter: "memory" });
    await PouchDB.replicate(remote, local, { batch_size: 1000 });
    const { rows: known } = await remote.allDocs({ limit: behind, include_docs: true });
    await remote.bulkDocs(known.map(({ doc }) => ({ ...doc, touched: true })));
    await local.bulkDocs(lines(commands).map((row) => ({ ...row, _id: `command-${number}-${row._id}` })));
    all.push([local, remote]);
  }
  const start = clock();
  const done = await Promise.all(all.map(([local, remote]) => PouchDB.sync(local, remote)));
  const ms = clock() - start;
  for (const { push: up, pull: down } of done) {
    same(up.docs_written, lines(commands).length, "commands pushed");
    same(down.docs_written, behind, "changes pulled");
  }
  return { ms };
}

// Documents and photos (as attachments) over a bad link, with PouchDB's own retries; until all are there,
// or the time is out.
async function link({ url, direct, folder, docs, photos, photo_bytes, seconds_max }) {
  const local = new PouchDB(`${folder}/phone`);
  await local.bulkDocs(lines(docs));
  for (let number = 0; number < photos; number++) {
    const data = require("crypto").randomBytes(photo_bytes);
    await local.putAttachment(`photo-${number}`, "photo", data, "image/jpeg");
  }
  const server = new PouchDB(direct);
  await server.info();
  const start = clock();
  const up = PouchDB.replicate(local, url, { live: true, retry: true });
  up.catch(() => {});
  const seconds = () => (clock() - start) / 1000;
  let commands = null;
  let all = null;
  while (all === null && seconds() < seconds_max) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { rows } = await server.allDocs();
    const pictures = rows.filter((row) => row.id.startsWith("photo-")).length;
    if (commands === null && rows.length - pictures >= lines(docs).length) commands = seconds();
    if (commands !== null && pictures === photos) all = seconds();
  }
  up.cancel();
  return { commands, all };
}

const tasks = { pull, push, live, crowd, link };
const task = JSON.parse(fs.readFileSync(0, "utf8"));
tasks[task.scenario](task).then(
  (answer) => {
    fs.writeSync(1, `\n${JSON.stringify(answer)}\n`);
    process.exit(0);
  },
  (error) => {
    console.error(error);
    process.exit(1);
  },
);
