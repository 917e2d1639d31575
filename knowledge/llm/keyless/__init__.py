"""The model without any key: the last of the chain, and the floor that no language model may fall below.

It reads a message by rules (``understanding``), folds the conversation into needs (``needs``), decides which tools
to call (``plan``) and composes the reply from what they said (``compose``): by the catalogue where that knows
(``facts``), in the words of articles elsewhere (``answers``, ``passages``), with one question and buttons at the end
(``closing``). Words are data: ``intents`` and ``lexicon`` are heard, ``wording`` is said, ``english`` is looked up.
"""
