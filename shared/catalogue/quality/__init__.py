"""Is a catalogue fit for search: duplicates, unmarked variants, gaps, odd titles and prices."""
