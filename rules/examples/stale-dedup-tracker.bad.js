const seenIds = new Set();

function onSnapshot(snapshot, localRevision) {
  const isBehind = localRevision > snapshot.revision; // the server has started anew
  for (const entry of snapshot.entries) {
    if (!seenIds.has(entry.id)) {
      seenIds.add(entry.id); // still full of what the old server sent
      render(entry);
    }
  }
  if (isBehind) {
    showNotice("Reloaded from the server");
  }
}
