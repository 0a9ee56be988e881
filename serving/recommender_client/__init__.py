"""A client of exported recommenders on TensorFlow Serving; `client.py` beside it is its face."""
