package feed

func (f *Feed) OnSnapshot(s Snapshot) {
	isAhead := f.revision > s.Revision // the server has started anew
	for _, entry := range s.Entries {
		if f.seen[entry.ID] {
			continue
		}
		f.seen[entry.ID] = true // still full of what the old server sent
		f.render(entry)
	}
	f.revision = s.Revision
	if isAhead {
		f.notice("Reloaded from the server")
	}
}
