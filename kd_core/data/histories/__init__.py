"""Histories: what users chose one after the other, made into rows of a history and the item that came next."""
