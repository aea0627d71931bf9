"""HTTP/1.1 over asyncio: bytes of a connection to an ASGI application and back."""
