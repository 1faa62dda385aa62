"""Parts of the screen that makes a student smaller: what is chosen, chains of steps, how far they are, and what came of them."""
