"""The dense half of search: vectors of passages and of questions, made by a model behind a protocol.

``protocol`` says what an embedder is, ``openai`` is one, ``registry`` finds it by its name. ``keeping`` owes every
passage a vector and makes them in the background; ``asking`` makes the vector of a question while a customer waits.
"""
