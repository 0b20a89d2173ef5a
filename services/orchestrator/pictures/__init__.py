"""Pictures of products: read below one folder, made into vectors at import, and searched by."""
