"""What a what-if answers: its one line, the evidence, and what else can be asked of it."""
