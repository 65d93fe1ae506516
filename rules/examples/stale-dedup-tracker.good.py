def on_snapshot(self, snapshot):
    is_ahead = self.revision > snapshot.revision
    if is_ahead:
        self.seen_ids.clear()
    for entry in snapshot.entries:
        if entry.id not in self.seen_ids:
            self.seen_ids.add(entry.id)
            self.render(entry)
    self.revision = snapshot.revision
    if is_ahead:
        self.show_notice("Reloaded from the server")
