const seenIds = new Set();

function onSnapshot(snapshot, localRevision) {
  const isBehind = localRevision > snapshot.revision;
  if (isBehind) {
    seenIds.clear();
  }
  for (const entry of snapshot.entries) {
    if (!seenIds.has(entry.id)) {
      seenIds.add(entry.id);
      render(entry);
    }
  }
  if (isBehind) {
    showNotice("Reloaded from the server");
  }
}
