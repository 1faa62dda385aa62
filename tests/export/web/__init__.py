"""A student as a page: its scripts against the engine, the runtime, the browser that proves it."""
