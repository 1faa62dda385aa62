"""Parts of the Compare screen: which runs stand side by side."""
