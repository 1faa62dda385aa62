"""Pretrained encoders of texts: which folders are taken, how they are opened, and what is learned on top of them."""
