"""Which word pieces a set of texts needs."""

import re
import unicodedata


class Vocabulary:
    """A BERT vocabulary, and which of its pieces have been used."""

    SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")

    def __init__(self, pieces):
        self.pieces = pieces
        self.ids = {piece: i for i, piece in enumerate(pieces)}
        self.used = set()
        self.words = set()

    def use(self, text):
        """Marks the pieces of a text as needed."""
        text = unicodedata.normalize("NFD", text.lower())
        text = "".join(c for c in text if unicodedata.category(c) != "Mn")
        for word in re.findall(r"\w+|[^\w\s]", text):
            if word not in self.words:
                self.words.add(word)
                self._use_word(word)

    def _use_word(self, word):
        start = 0
        while start < len(word):
            prefix = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if prefix + word[start:end] in self.ids), None)
            if end is None:
                return
            self.used.add(self.ids[prefix + word[start:end]])
            start = end

    def kept(self, further):
        """Ids of the special tokens, the used pieces, `further`, and the letters, digits and signs of ASCII alone and within
        words, with which any other word can be spelled; in the order of the vocabulary."""
        kept = set(self.used) | set(further) | {self.ids[token] for token in self.SPECIAL}
        for i, piece in enumerate(self.pieces):
            letters = piece.removeprefix("##")
            if len(letters) <= (2 if piece.startswith("##") else 1) and letters.isascii():
                kept.add(i)
        return sorted(kept)
