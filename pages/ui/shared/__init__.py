"""What every screen needs: words, forms, state, frame, door."""
