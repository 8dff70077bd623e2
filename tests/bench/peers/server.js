// express-pouchdb on LevelDB as it ships, on a free port that it prints. Argument: the folder of its databases.
const express = require("express");
const PouchDB = require("pouchdb");

const [folder, port] = process.argv.slice(2);
const app = express();
app.use(
  require("express-pouchdb")(PouchDB.defaults({ prefix: `${folder}/` }), {
    mode: "minimumForPouchDB",
    inMemoryConfig: true,
    logPath: `${folder}/log.txt`,
  }),
);
const server = app.listen(Number(port || 0), "127.0.0.1", 2048, () => console.log(server.address().port));
