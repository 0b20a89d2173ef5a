"""Privacy: sealing data at rest, pseudonyms, personal data in texts, counts with noise."""
