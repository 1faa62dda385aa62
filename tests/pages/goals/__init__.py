"""Goals: the form, what is kept of it, and who meets them."""
