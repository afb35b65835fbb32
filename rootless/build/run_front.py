"""The keeper's side of a RUN: its output is passed on, its layer is taken as it comes."""

import contextlib
import fcntl
import os
import select
from collections.abc import Callable, Mapping

from rootless.containers.session import Session
from rootless.errors import RootlessError
from rootless.image.ingest import Expected, StagedLayer, ingest
from rootless.image.store import Store

_PIECE = 65536
_LAYER_PIPE_BYTES = 1 << 20


class Pipes:
    """The pipes of one RUN: what the workload says, and the tar that is made of its files.

    Attributes:
        output: Our end of the workload's standard output and error, which are one.
        layer: Our end of the tar.
        said: The workload's end.
        told: The end in which the supervisor writes the tar.
    """

    def __init__(self) -> None:
        self.output, self.said = os.pipe2(os.O_CLOEXEC)
        try:
            self.layer, self.told = os.pipe2(os.O_CLOEXEC)
        except BaseException:
            os.close(self.output)
            os.close(self.said)
            raise
        os.set_blocking(self.output, False)
        _enlarge(self.told)

    def become_theirs(self) -> None:
        """In the forked child: put the workload's standard streams in place."""
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        os.dup2(null, 0)
        os.dup2(self.said, 1)
        os.dup2(self.said, 2)
        for fd in (null, self.output, self.said, self.layer):
            os.close(fd)

    def close_theirs(self) -> None:
        """In the keeper, after the fork."""
        os.close(self.said)
        os.close(self.told)
        self.said = self.told = -1

    def close(self) -> None:
        """Close what is open; idempotent."""
        for fd in {self.output, self.said, self.layer, self.told} - {-1}:
            os.close(fd)
        self.output = self.said = self.layer = self.told = -1


def _enlarge(fd: int) -> None:
    with contextlib.suppress(OSError):  # the user has many pipes: it stays small
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _LAYER_PIPE_BYTES)


class StepFront:
    """Serves a session until its end (`session.Front`).

    Args:
        store: Gets the layer.
        pipes: Ours and theirs.
        out: Gets what the workload says, as it says it.
        what: What the layer is of, for messages.

    Attributes:
        layer: What came; None until then, and where nothing came. The caller's to close.
    """

    def __init__(self, store: Store, pipes: Pipes, out: Callable[[bytes], None], what: str) -> None:
        self.layer: StagedLayer | None = None
        self._store = store
        self._pipes = pipes
        self._out = out
        self._what = what
        self._error: RootlessError | None = None
        self._open = {pipes.output, pipes.layer}

    def run(self, session: Session) -> int:
        """Serve until the supervisor has ended; return its status, -N for signal N.

        Raises what kept the workload from running, and what its files cannot be a layer for.
        """
        status = -1
        try:
            status = session.run(self)
            while self._pipes.output in self._open and self._pass_output():
                pass
        finally:
            if status != 0 and self.layer is not None:
                self.layer.close()
        if status == 0 and self._error is not None:
            raise self._error
        return status

    def interests(self) -> Mapping[int, int]:
        """Return what to wait for."""
        return dict.fromkeys(self._open, select.POLLIN)

    def patience_ms(self) -> int | None:
        """Return None: nothing is to be done without an event."""
        return None

    def serve(self, ready: Mapping[int, int]) -> None:
        """Pass output on; take the layer once it begins."""
        if self._pipes.output in ready:
            self._pass_output()
        if self._pipes.layer in ready:
            self._open.discard(self._pipes.layer)
            if ready[self._pipes.layer] & select.POLLIN:
                self._take_layer()

    def on_console(self, master_fd: int) -> None:
        """Take no terminal: a RUN has none."""
        os.close(master_fd)

    def on_change(self) -> None:
        """Nobody is told which processes there are."""

    def on_stopped(self) -> None:
        """Nobody asks for a stop."""

    def on_loss(self, text: str) -> None:
        """Fail: what is built without all of its files, or its network, is not what was asked."""
        raise RootlessError(text)

    def _pass_output(self) -> bool:
        """Pass on what there is; False for nothing."""
        try:
            data = os.read(self._pipes.output, _PIECE)
        except BlockingIOError:
            return False
        if not data:
            self._open.discard(self._pipes.output)
            return False
        self._out(data)
        return True

    def _take_layer(self) -> None:
        """Read the tar to its end, into the store; an error is told once the supervisor's is."""
        try:
            with open(self._pipes.layer, "rb", buffering=0, closefd=False) as tar:
                self.layer = ingest(self._store, tar, self._what, Expected())
        except RootlessError as error:
            self._error = error
            os.close(self._pipes.layer)  # whoever still writes learns it
            self._pipes.layer = -1
