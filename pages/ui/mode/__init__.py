"""How teacher and student meet: chosen on the form, told of under a verdict."""
