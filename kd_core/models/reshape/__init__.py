"""Networks whose layers have other shapes than those they were built with: units that can go, and shapes taken from a saved state."""
