"""Pretrained models at hand, and how another one is fetched."""
