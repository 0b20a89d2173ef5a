"""Terms of accounts: contract prices, quantity breaks, and which products an account may see."""
