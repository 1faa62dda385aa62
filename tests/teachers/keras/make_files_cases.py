"""Names of the models that `make_files.py` makes: pytest wants them before Keras has run."""

CASES = (
    "all_activations",
    "both_every",
    "both_twice",
    "both_ways",
    "dense",
    "flat",
    "given_norm",
    "lstm",
    "lstm_front",
    "mean",
    "no_mask",
    "norms",
    "score",
    "steps",
    "three",
    "two_lstm",
)
