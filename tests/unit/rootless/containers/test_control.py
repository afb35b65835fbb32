"""The socket in a run's folder."""

import socket
from pathlib import Path

from rootless.containers import control


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    """The folder's path may be longer than a socket's can be (unix(7))."""
    folder = tmp_path / ("x" * 100) / ("y" * 100)
    folder.mkdir(parents=True)
    with control.listen(folder) as listener:
        client = control.connect(folder)
        assert client is not None
        server, _ = listener.accept()
        client.send(control.packet({"signal": 9}))
        assert control.message_of(server.recv(control.MOST_BYTES)) == {"signal": 9}
        client.close()
        server.close()


def test_nobody_listens(tmp_path: Path) -> None:
    """No folder, no socket, or one of a keeper that has been killed: nobody answers."""
    assert control.connect(tmp_path / "none") is None
    assert control.ask(tmp_path, {"wait": True}) is None
    control.listen(tmp_path).close()
    assert control.ask(tmp_path, {"wait": True}) is None
    with control.listen(tmp_path):  # in place of the dead one
        pass


def test_a_piece_fits_into_a_packet() -> None:
    """What is read in one piece is sent in one."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        one.send(control.STDOUT + b"x" * control.PIECE)
        assert len(other.recv(control.MOST_BYTES)) == control.PIECE + 1


def test_the_last_words_of_one_that_did_not_listen() -> None:
    """Who ends with something unread has been heard all the same."""
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other:
        one.send(b"never read")
        other.send(b"last words")
        other.close()
        assert control.next_packet(one) == b"last words"
        assert control.next_packet(one) == b""
