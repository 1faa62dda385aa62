"""Plain models beside the students: which there are, what they take to learn, and how they are trained and chosen."""
