"""Parts of the export screen: what is taken home, making it in the background, and a row for each target."""
