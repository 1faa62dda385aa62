"""Taking a student home from a run: what a target is made of, the proof that it answers alike, the file that is handed out."""
