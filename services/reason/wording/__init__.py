"""The language model as it is served: tokens, what they may say, and how they become a sentence."""
