"""The orchestrator: the public services, made of the four behind them."""
