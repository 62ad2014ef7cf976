# SPDX-License-Identifier: GPL-2.0-only
"""A nohyped's API, for tests that drive it through its socket."""

import http.client
import json
import socket


class Connection(http.client.HTTPConnection):
    """To the socket at @path, on which each step waits @patience seconds at most."""

    def __init__(self, path, patience):
        super().__init__("nohyped", timeout=patience)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)

    def ask(self, method, target, body=None):
        """One request: the status, and the object that is answered, or None."""
        self.request(method, target, json.dumps(body) if body is not None else None)
        response = self.getresponse()
        text = response.read()
        self.close()
        return response.status, json.loads(text) if text else None
