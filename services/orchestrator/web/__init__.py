"""The demo page and its JSON, over the same handlers as the gRPC services."""
