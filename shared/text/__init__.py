"""Text: folding, language, analysis into terms, the shop's vocabulary."""
