"""What every page that a process serves over HTTP shares: headers, static files, the server."""
