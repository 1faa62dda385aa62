"""Making a distilled student smaller still: steps such as pruning and quantising, one after another."""
