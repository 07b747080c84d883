#!/usr/bin/env python3
"""The web app of the demo and the tests: it says who it is, and what it can reach.

  /                     image, version, hostname, BODY, and the arguments that it was started with
  /up                   HEALTH_STATUS, 200 unless told otherwise
  /env?name=X           the value of the environment variable X
  /headers              the request's headers
  /resolve?name=X       the addresses that X resolves to, one a line
  /fetch?url=X          what that URL answers: its status and its body; 502 when it cannot be reached within LIMIT, 2 s
  /db                   asks the database who it is, over a new connection
  /db?seconds=0.05      the same, that time after it was asked itself
  /visit                adds a row to a table of the database, over a new connection, and counts the rows
  /redis                PING and INCR, over a new connection
  /slow?seconds=4       answers after that time
  /download?bytes=N&seconds=S   N bytes, spread over S seconds
  /events?seconds=S     an event at once, and for that time no other
  /websocket            sends back each short message of a websocket
  /note                 adds a line to /data/notes
  /served               how many requests it has answered, those to /up and /served left out

The environment: PORT; BODY; HEALTH_STATUS; START_DELAY, in seconds, before it listens; LIMIT, in seconds, for whatever is
asked of another container; EXIT_CODE, to die at once.
The database is at DATABASE_URL (postgres:// or mysql://; DATABASE_HOST and DATABASE_PORT go before its parts), with the
account that its own image would make of POSTGRES_… or MYSQL_…; redis is at REDIS_HOST or REDIS_URL.
On SIGTERM it takes no new connection, answers the requests that it has, and exits.
"""

import base64
import hashlib
import os
import signal
import socket
import sys
import threading
import time
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, SimpleQueue
from urllib.error import HTTPError
from urllib.parse import parse_qs, unquote, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, build_opener

ENV = os.environ
LIMIT = int(ENV.get("LIMIT", 2))
DRAIN = 60  # seconds for requests in flight, once told to stop


class Failure(Exception):
    """What was asked for cannot be had: its status and a line of text are the answer."""

    def __init__(self, status, text):
        super().__init__(text)
        self.status = status


def within_limit(work, *arguments):
    """The result of `work`, which may hang where no timeout reaches, as a name lookup does."""
    answers = SimpleQueue()

    def run():
        try:
            answers.put((work(*arguments), None))
        except Exception as error:
            answers.put((None, error))

    threading.Thread(target=run, daemon=True).start()
    try:
        result, error = answers.get(timeout=LIMIT)
    except Empty:
        raise Failure(502, f"no answer within {LIMIT} s") from None
    if error:
        raise error
    return result


def who(_):
    facts = {
        "image": ENV.get("IMAGE"),
        "version": ENV.get("VERSION"),
        "hostname": socket.gethostname(),
        "body": ENV.get("BODY"),
        "arguments": " ".join(sys.argv[1:]),
    }
    return "".join(f"{name}: {value}\n" for name, value in facts.items() if value)


def up(_):
    status = int(ENV.get("HEALTH_STATUS", 200))
    return status, b"up\n" if status == 200 else f"HEALTH_STATUS is {status}\n".encode()


def env(query):
    if query["name"] not in ENV:
        raise Failure(404, f"{query['name']} is not set")
    return ENV[query["name"]] + "\n"


def resolve(query):
    try:
        found = within_limit(socket.getaddrinfo, query["name"], None, 0, socket.SOCK_STREAM)
    except socket.gaierror as error:
        raise Failure(404, f"{query['name']}: {error.strerror}") from None
    return "".join(f"{address}\n" for address in sorted({entry[4][0] for entry in found}))


class NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def fetch(query):
    def ask():
        opener = build_opener(ProxyHandler({}), NoRedirects)
        try:
            with opener.open(query["url"], timeout=LIMIT) as answer:
                return answer.status, answer.read()
        except HTTPError as answer:
            return answer.code, answer.read()

    return within_limit(ask)


def connect_database():
    """A new connection to the database. Its account is found as the database's own image finds it."""
    url = urlsplit(ENV.get("DATABASE_URL", "postgres://postgres"))
    host = ENV.get("DATABASE_HOST", url.hostname)
    path = unquote(url.path.strip("/"))
    password = url.password and unquote(url.password)
    if url.scheme == "mysql":
        import pymysql

        user = url.username or ENV.get("MYSQL_USER", "root")
        secret = "MYSQL_ROOT_PASSWORD" if user == "root" else "MYSQL_PASSWORD"
        return pymysql.connect(
            host=host,
            port=int(ENV.get("DATABASE_PORT", url.port or 3306)),
            user=user,
            password=password or ENV.get(secret, ""),
            database=path or ENV.get("MYSQL_DATABASE"),
            connect_timeout=LIMIT,
            autocommit=True,
        )
    import psycopg2

    user = url.username or ENV.get("PGUSER") or ENV.get("POSTGRES_USER", "postgres")
    connection = psycopg2.connect(
        host=host,
        port=ENV.get("DATABASE_PORT", url.port or 5432),
        user=user,
        password=password or ENV.get("PGPASSWORD") or ENV.get("POSTGRES_PASSWORD"),
        dbname=path or ENV.get("PGDATABASE") or ENV.get("POSTGRES_DB", user),
        connect_timeout=LIMIT,
        sslmode="disable",
    )
    connection.autocommit = True
    return connection


def ask_database(*statements):
    """The last row that the statements give. Databases have errors of many kinds, all of them the same to us."""
    try:
        connection = connect_database()
        try:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchone()
        finally:
            connection.close()
    except Exception as error:
        raise Failure(502, f"database: {' '.join(str(error).split())}") from error


def db(query):
    time.sleep(float(query.get("seconds", 0)))
    (version,) = ask_database("SELECT version()")
    return f"database: {version}\n"


def visit(_):
    (rows,) = ask_database(
        "CREATE TABLE IF NOT EXISTS visits (host TEXT)",
        f"INSERT INTO visits VALUES ('{socket.gethostname()}')",
        "SELECT count(*) FROM visits",
    )
    return f"visits: {rows}\n"


def redis(_):
    url = urlsplit(ENV.get("REDIS_URL", "redis://redis"))
    host = ENV.get("REDIS_HOST", url.hostname)
    with socket.create_connection((host, url.port or 6379), timeout=LIMIT) as connection:
        connection.sendall(b"PING\r\nINCR visits\r\n")
        answers = connection.makefile("r")
        pong, visits = answers.readline().strip(), answers.readline().strip()
    if pong != "+PONG" or not visits.startswith(":"):
        raise Failure(502, f"redis: {pong} {visits}")
    return f"redis: PONG\nvisits: {visits[1:]}\n"


def slow(query):
    seconds = float(query.get("seconds", 4))
    time.sleep(seconds)
    return f"waited {seconds:g} s\n"


def note(_):
    with open("/data/notes", "a") as notes:
        notes.write(socket.gethostname() + "\n")
    return "noted\n"


ANSWERS = {
    "/": who,
    "/up": up,
    "/env": env,
    "/resolve": resolve,
    "/fetch": fetch,
    "/db": db,
    "/visit": visit,
    "/redis": redis,
    "/slow": slow,
    "/note": note,
}

WEBSOCKET = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # head and body leave together
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.began()
        try:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.answer()
            self.wfile.flush()
        finally:
            self.server.ended(urlsplit(self.path).path)

    do_POST = do_GET
    do_HEAD = do_GET

    def answer(self):
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        try:
            if url.path == "/download":
                return self.download(int(query["bytes"]), float(query.get("seconds", 0)))
            if url.path == "/events":
                return self.events(float(query["seconds"]))
            if url.path == "/websocket":
                return self.websocket()
            if url.path == "/headers":
                answer = "".join(f"{key}: {value}\n" for key, value in self.headers.items())
            elif url.path == "/served":
                answer = f"{self.server.served}\n"
            elif url.path in ANSWERS:
                answer = ANSWERS[url.path](query)
            else:
                raise Failure(404, f"nothing at {url.path}")
            status, body = answer if isinstance(answer, tuple) else (200, answer.encode())
        except Failure as failure:
            status, body = failure.status, f"{failure}\n".encode()
        except KeyError as error:
            status, body = 400, f"the query lacks {error}\n".encode()
        except (OSError, ValueError, HTTPException) as error:
            status, body = 502, f"{error}\n".encode()
        if status in (204, 304):  # these have no body
            body = b""
        self.head(status, len(body))
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status, length):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        if status not in (204, 304):
            self.send_header("Content-Length", str(length))
        if 300 <= status < 400:
            self.send_header("Location", "/")
        if self.server.stopping:
            self.send_header("Connection", "close")
        self.end_headers()

    def events(self, seconds):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        time.sleep(seconds)

    def websocket(self):
        accept = hashlib.sha1((self.headers.get("Sec-WebSocket-Key", "") + WEBSOCKET).encode()).digest()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(accept).decode())
        self.end_headers()
        self.wfile.flush()
        self.close_connection = True
        # a frame of a client: two bytes, of which the second has the length, four bytes of a mask, and the message
        while (head := self.rfile.read(2)) and head[0] == 0x81:
            length = head[1] & 0x7F
            mask, masked = self.rfile.read(4), self.rfile.read(length)
            message = bytes(byte ^ mask[i % 4] for i, byte in enumerate(masked))
            self.wfile.write(bytes([0x81, length]) + message)
            self.wfile.flush()

    def download(self, size, seconds):
        steps = max(1, int(seconds * 10))
        self.head(200, size)
        for step in range(steps):
            self.wfile.write(b"." * (size * (step + 1) // steps - size * step // steps))
            self.wfile.flush()
            time.sleep(seconds / steps)


class Server(ThreadingHTTPServer):
    """Counts the requests in flight, so that it can end after the last of them."""

    request_queue_size = 1024
    stopping = False
    in_flight = 0
    served = 0

    def __init__(self, *arguments):
        self.changed = threading.Condition()
        super().__init__(*arguments)

    def began(self):
        with self.changed:
            self.in_flight += 1

    def ended(self, path):
        with self.changed:
            self.in_flight -= 1
            self.served += path not in ("/up", "/served")
            self.changed.notify_all()

    def handle_error(self, request, client):
        if not isinstance(sys.exc_info()[1], ConnectionError):  # that is a client that went away
            super().handle_error(request, client)

    def drain(self):
        self.stopping = True
        self.shutdown()
        self.socket.close()
        time.sleep(0.1)  # for requests that are here, but not read yet
        with self.changed:
            self.changed.wait_for(lambda: self.in_flight == 0, timeout=DRAIN)


def main():
    if code := ENV.get("EXIT_CODE"):
        print(f"error: told to exit with {code}", file=sys.stderr, flush=True)
        sys.exit(int(code))

    told_to_stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told_to_stop.set())
    signal.signal(signal.SIGINT, lambda *_: told_to_stop.set())
    if told_to_stop.wait(float(ENV.get("START_DELAY", 0))):
        sys.exit(0)

    port = int(ENV.get("PORT", 8080))
    server = Server(("", port), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}).start()
    print(f"listening on {port}", flush=True)
    told_to_stop.wait()
    server.drain()
    print(f"stopped after {server.served} requests", flush=True)
    os._exit(0)  # idle connections hold their threads


if __name__ == "__main__":
    main()
