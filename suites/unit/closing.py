"""The end of a server that a test has started in its own loop."""

import asyncio

_TURNS = 5


async def close_server(server: asyncio.Server) -> None:
    """Accepts nobody any more, and lets a connection that was just being accepted be handed over before it closes.

    CPython 3.11 would leak that connection: its transport finds the server closed, and nobody has a hold of it yet.
    """
    loop = asyncio.get_running_loop()
    for listener in server.sockets:
        loop.remove_reader(listener.fileno())
    for _turn in range(_TURNS):
        await asyncio.sleep(0)
    server.close()
