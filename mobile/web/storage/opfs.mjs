// A small Emscripten file system over the browser's private files (OPFS synchronous access handles).
// SQLite wants files at once and handles are opened asynchronously, so the names are fixed up front.
// A file of length zero counts as absent. The browser gives each handle to one owner only: a second tab
// is refused with NoModificationAllowedError.

const ENOENT = 44, EINVAL = 28, EIO = 29, ENOSPC = 51;

// A reload may overlap the last moments of the page before it, so wait a little for its handles.
async function openHandle(file, patience = 2000) {
  const until = performance.now() + patience;
  for (;;) {
    try {
      return await file.createSyncAccessHandle();
    } catch (error) {
      if (error.name !== "NoModificationAllowedError" || performance.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function openAll(folder, names) {
  const files = new Map();
  try {
    for (const name of names) {
      const handle = await openHandle(await folder.getFileHandle(name, { create: true }));
      files.set(name, { handle, present: handle.getSize() > 0 });
    }
  } catch (error) {
    for (const { handle } of files.values()) handle.close(); // so that a later try can succeed
    throw error;
  }
  return files;
}

/** Mount folder `folderName` at `point`, holding only the files `names`. */
export async function mount(FS, point, folderName, names) {
  const root = await navigator.storage.getDirectory();
  const files = await openAll(await root.getDirectoryHandle(folderName, { create: true }), [...names]);

  const fail = (code) => { throw new FS.ErrnoError(code); };
  const refuse = () => fail(EINVAL);
  const handleOf = (node) => files.get(node.name).handle;

  function makeNode(parent, name, mode) {
    const node = FS.createNode(parent, name, mode, 0);
    node.node_ops = nodeOps;
    node.stream_ops = streamOps;
    node.changed = new Date();
    return node;
  }

  const nodeOps = {
    getattr(node) {
      const size = FS.isDir(node.mode) ? 4096 : handleOf(node).getSize();
      return {
        dev: 1, ino: node.id, mode: node.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size,
        atime: node.changed, mtime: node.changed, ctime: node.changed, blksize: 4096, blocks: Math.ceil(size / 512),
      };
    },
    setattr(node, attributes) {
      if (attributes.mode != null) node.mode = attributes.mode;
      if (attributes.size != null) handleOf(node).truncate(attributes.size);
      node.changed = new Date();
    },
    lookup(parent, name) {
      if (!files.get(name)?.present) fail(ENOENT);
      return makeNode(parent, name, 0o100666);
    },
    mknod(parent, name, mode) {
      const file = files.get(name);
      if (!file) fail(ENOSPC);
      file.present = true;
      return makeNode(parent, name, mode);
    },
    unlink(parent, name) {
      const file = files.get(name);
      file.handle.truncate(0);
      file.handle.flush();
      file.present = false;
    },
    readdir: () => [".", "..", ...[...files].filter(([, file]) => file.present).map(([name]) => name)],
    rename: refuse, rmdir: refuse, symlink: refuse, readlink: refuse,
  };

  // Bytes are copied through a plain array: the handle does not accept a view of WebAssembly memory.
  const streamOps = {
    open() {},
    close() {},
    read(stream, buffer, offset, length, position) {
      const left = handleOf(stream.node).getSize() - position;
      if (left <= 0) return 0;
      const bytes = new Uint8Array(Math.min(length, left));
      const count = handleOf(stream.node).read(bytes, { at: position });
      buffer.set(bytes.subarray(0, count), offset);
      return count;
    },
    write(stream, buffer, offset, length, position) {
      const bytes = new Uint8Array(length);
      bytes.set(buffer.subarray(offset, offset + length));
      stream.node.changed = new Date();
      try {
        return handleOf(stream.node).write(bytes, { at: position });
      } catch (error) { // any other kind of error would end Python, not this write
        return fail(error.name === "QuotaExceededError" ? ENOSPC : EIO);
      }
    },
    llseek(stream, offset, whence) {
      let position = offset;
      if (whence === 1) position += stream.position;
      else if (whence === 2) position += handleOf(stream.node).getSize();
      if (position < 0) fail(EINVAL);
      return position;
    },
    fsync(stream) {
      handleOf(stream.node).flush();
      return 0;
    },
  };

  const type = { mount: () => makeNode(null, "/", 0o40777) };
  FS.mkdirTree(point);
  FS.mount(type, {}, point);
  return {
    flush() {
      for (const { handle } of files.values()) handle.flush();
    },
    close() {
      FS.unmount(point);
      for (const { handle } of files.values()) {
        handle.flush();
        handle.close();
      }
    },
  };
}
