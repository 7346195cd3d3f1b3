"""An HTTP server on asyncio whose shutdown is correct but for FAULT:

asyncio_server.py FAULT PORT

GET or POST /?work=MS, GET /ready, keep-alive. On SIGTERM it accepts what is queued, closes the listener, finishes the
requests in flight, and lets idle connections send one more request. A second SIGTERM exits at once.

ignores-newcomers  connections accepted after the signal get no response
keeps-listening    the listener stays open after the signal, and nobody accepts
"""

import asyncio
import os
import re
import signal
import socket
import sys

FAULT, PORT = sys.argv[1], int(sys.argv[2])
GRACE = 0.5
DEADLINE = 5.0

stopping = asyncio.Event()
idle = set()  # tasks of connections that wait for a request
busy = set()  # tasks of connections with a request in flight
accepted = set()


def signalled():
    if stopping.is_set():
        os._exit(128 + signal.SIGTERM)
    stopping.set()


def response(head):
    unready = stopping.is_set() and b" /ready " in head
    return b"HTTP/1.1 %s\r\nContent-Length: 3\r\n%s\r\nok\n" % (
        b"503 Service Unavailable" if unready else b"200 OK",
        b"Connection: close\r\n" if stopping.is_set() else b"",
    )


async def serve(reader, writer):
    task = asyncio.current_task()
    ignored = FAULT == "ignores-newcomers" and stopping.is_set()
    try:
        text = b""
        while b"close" not in text:
            idle.add(task)
            head = await reader.readuntil(b"\r\n\r\n")
            idle.discard(task)
            if ignored:
                await reader.read()
            busy.add(task)
            length = re.search(rb"Content-Length: (\d+)", head)
            await reader.readexactly(int(length[1]) if length else 0)
            work = re.search(rb"work=(\d+)", head)
            await asyncio.sleep(int(work[1]) / 1000 if work else 0)
            text = response(head)
            writer.write(text)
            await writer.drain()
            busy.discard(task)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        idle.discard(task)
        busy.discard(task)
        writer.close()


async def take(connection):
    await serve(*await asyncio.open_connection(sock=connection))


def accept_queued(listener):
    while True:
        try:
            connection, _ = listener.accept()
        except BlockingIOError:
            return
        accepted.add(asyncio.ensure_future(take(connection)))


async def main():
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", PORT))
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, signalled)
    server = await asyncio.start_server(serve, sock=listener, backlog=500)
    await stopping.wait()

    began = loop.time()
    await asyncio.sleep(0.02)  # new clients come at this very moment, too
    accept_queued(listener)
    if FAULT == "keeps-listening":
        loop.remove_reader(listener.fileno())
    else:
        server.close()
    await asyncio.sleep(0.02)
    while busy or (idle and loop.time() < began + GRACE):
        if loop.time() >= began + DEADLINE:
            break
        await asyncio.sleep(0.002)
    os._exit(0)


asyncio.run(main())
