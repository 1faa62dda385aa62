"""The tab "Look closer" of a result: where models differ, what disturbs them, what they look at."""
