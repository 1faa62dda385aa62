"""A finished run's student looked at beyond its score, beside its baseline, its teacher and the best plain model."""
