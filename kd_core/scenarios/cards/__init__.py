"""A scenario at a glance: a small picture of its data and what its run is estimated from, made once and kept beside the samples."""
