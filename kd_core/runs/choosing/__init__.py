"""Which student to take home: candidates tried on validation rows within a time, and the rule that chooses one of them."""
