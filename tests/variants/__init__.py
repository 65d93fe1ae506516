"""Other ways to write the same program, made from its tree, and ways that break it."""
