"""Connections to a socket that are passed on by another process."""

import os
import socket
import threading
from pathlib import Path

from rootless.build.agent_relay import start_relay


def serve(listener: socket.socket) -> None:
    """Answer each connection with what it said, turned around, until it ends."""
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            while data := client.recv(100):
                client.sendall(data[::-1])


def ask(path: str, data: bytes) -> bytes:
    """Say something, and end; return the whole answer."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(10)
        client.connect(path)
        if data:
            client.sendall(data)
            return client.recv(100)
        client.shutdown(socket.SHUT_WR)
        return client.recv(100)


def test_passed_on(tmp_path: Path) -> None:
    """Each connection has its own; one without an agent ends; the process ends when it is told."""
    agent, path = str(tmp_path / "agent"), str(tmp_path / "relay")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(agent)
        listener.listen()
        thread = threading.Thread(target=serve, args=(listener,), daemon=True)
        thread.start()
        pid = start_relay(path, agent)
        try:
            assert ask(path, b"abc") == b"cba"
            assert ask(path, b"") == b""
            assert ask(path, b"12") == b"21"
            os.unlink(agent)
            assert ask(path, b"") == b""
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
