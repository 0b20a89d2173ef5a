"""The services. Each is a process of its own and calls the others through their stubs only."""
