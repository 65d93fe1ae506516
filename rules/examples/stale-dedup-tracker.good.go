package feed

func (f *Feed) OnSnapshot(s Snapshot) {
	isAhead := f.revision > s.Revision
	if isAhead {
		f.seen = make(map[string]bool)
	}
	for _, entry := range s.Entries {
		if f.seen[entry.ID] {
			continue
		}
		f.seen[entry.ID] = true
		f.render(entry)
	}
	f.revision = s.Revision
	if isAhead {
		f.notice("Reloaded from the server")
	}
}
