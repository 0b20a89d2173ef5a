"""How well surges are told: streams of real reviews with surges put into them."""
