"""Making a finished run's student smaller: chains of steps carried out for every seed, each stage kept, deployed, timed and judged."""
