"""Which trainings there are, in what order and by which means they are done."""
