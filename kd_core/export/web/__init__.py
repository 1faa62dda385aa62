"""A student as one page that a browser runs by itself: how it reads rows, the runtime inside it, and a browser to prove it with."""
