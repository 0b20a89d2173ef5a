"""The language model of reasons: corpus, tokeniser, training, decoding, export."""
