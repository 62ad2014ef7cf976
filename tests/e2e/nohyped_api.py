# SPDX-License-Identifier: GPL-2.0-only
"""A nohyped's API, for tests that drive it through its socket."""

import http.client
import json
import socket
import time


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

    def events(self, after=None):
        """As they come, those after that id first, until the stream ends or nothing more is wanted."""
        self.request("GET", "/v1/events", headers={} if after is None else {"Last-Event-ID": str(after)})
        response = self.getresponse()
        try:
            while line := response.readline():
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])
        finally:
            self.close()


def answers(path, patience):
    """Is there a nohyped at that socket?"""
    try:
        return Connection(path, patience).ask("GET", "/v1/version")[0] == 200
    except OSError:
        return False


def exits_since_seal(vcpus):
    """Of what `nohype exits` or a VM's "live" has of them: the guest's own, and the host's. Called for what it is now, and
    again if the guest has any: one that is just being handled is the guest's for a moment, one of its own stays."""
    for _ in range(3):
        found = vcpus()
        host = sum(vcpu["host"] - vcpu["host_before_seal"] for vcpu in found)
        guest = sum(vcpu["exits"] - vcpu["before_seal"] for vcpu in found) - host
        if guest == 0:
            break
        time.sleep(0.1)
    return guest, host
