"""The vector store: one port, `VectorStore`, and its two adapters, embedded and server."""
