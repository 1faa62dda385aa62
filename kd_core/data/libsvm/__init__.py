"""LibSVM text: sparse rows, and the sizes of the queries that they belong to."""
