"""The bench in a browser: a process that owns the bench, a server, and a page. See docs/web.md."""
