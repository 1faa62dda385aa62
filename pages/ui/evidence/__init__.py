"""What the answers of a what-if rest on: the map of its cells, the curve of each setting, score against cost."""
