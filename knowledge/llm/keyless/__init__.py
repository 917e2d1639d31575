"""The model without any key: the last of the chain, and the floor that no language model may fall below.

It reads a message by rules (``understanding``), folds the conversation into needs (``needs``), decides which tools
to call (``plan``) and composes the reply from what they said (``compose``). Words are in ``lexicon`` and ``wording``.
"""
