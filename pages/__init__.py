"""The screens. Thin: they read snapshots of the engine, draw, and hand specs to the job service."""
