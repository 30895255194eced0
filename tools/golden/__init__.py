"""Golden tensors: what DCTNet's released pipeline makes of a few fixtures, and what exact arithmetic makes of them.

`pipeline` goes through pixels, as the pipeline does, with the libraries it uses; `model` takes the same steps in float64
without a rounding. Both need what tools/make_golden installs; neither shares code with src/.
"""
