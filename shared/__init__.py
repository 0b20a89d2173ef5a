"""What every service shares. Nothing here imports a service."""
