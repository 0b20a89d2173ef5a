"""A deep ranker of several tasks: what is clicked, put into the cart, bought."""
