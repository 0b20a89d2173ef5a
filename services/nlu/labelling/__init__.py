"""People's labels: which texts to ask about, the queue that keeps the answers, and two forms."""
