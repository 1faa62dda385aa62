"""What making a student smaller gave, beyond single numbers: the verdict, what was tried, and over which seeds means are."""
