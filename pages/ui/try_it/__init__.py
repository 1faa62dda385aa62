"""Try it: a row, a sentence or a picture in; what each model of a run answers, and how long it takes."""
