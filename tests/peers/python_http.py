"""The same service on Python's http.server, stopped the way its documentation suggests: shutdown() on SIGTERM.

python_http.py PORT
"""

import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlparse(self.path)
        work = float(parse_qs(url.query).get("work", ["0ms"])[0].removesuffix("ms")) / 1000
        if url.path == "/stream":
            return self.stream(work)
        time.sleep(work)
        return self.answer(b"hello\n")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(b"%d\n" % len(body))

    def stream(self, work):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(20):
            time.sleep(work / 20)
            self.wfile.write(b"6\r\nhello\n\r\n")
        self.wfile.write(b"0\r\n\r\n")

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
# shutdown() waits for serve_forever() to end: not in the thread that runs it.
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
