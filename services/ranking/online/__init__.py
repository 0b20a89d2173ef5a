"""Learning while serving: the head of the ranker follows what shoppers choose."""
