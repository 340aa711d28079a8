"""A mail server that takes everything, or refuses it, and keeps what it was given.

with MailServer() as server:
    … EMAIL_URL=smtp://127.0.0.1:{server.port} …
    server.refuses = True
    server.mails          # (sender, recipients, the whole message as bytes)
"""

import socketserver
import threading


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self._say("220 here")
        sender, recipients = "", []
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word == "MAIL":
                sender = line.partition(":")[2]
                self._say("451 The disk is full" if self.server.refuses else "250 OK")
            elif word == "RCPT":
                recipients.append(line.partition(":")[2].strip("<> "))
                self._say("250 OK")
            elif word == "DATA":
                self._say("354 Go on")
                self.server.mails.append((sender, recipients, self._message()))
                self._say("250 OK")
            else:
                self._say("221 Bye" if word == "QUIT" else "250 OK")

    def _message(self) -> bytes:
        lines = iter(self.rfile.readline, b".\r\n")
        return b"".join(line.removeprefix(b".") for line in lines)

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.port: int = self.server_address[1]
        self.refuses = False
        self.mails: list[tuple[str, list[str], bytes]] = []

    def __enter__(self) -> "MailServer":
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self.shutdown()
        self.server_close()
