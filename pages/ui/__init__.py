"""Shared parts of the screens: words, forms, state, theme and charts."""
