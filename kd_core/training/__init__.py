"""Training: the plan, the loop and its checkpoints, shared by students, baselines and network teachers."""
