"""RUN for real: what it sees, what its layer has, how it ends."""

import os
import socket
import tarfile
import threading
from pathlib import Path

import pytest
from executable import Rootless

from rootless.image.names import resolve
from rootless.image.store import Store
from rootless.paths import Paths

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

MOUNTS = r"""
FROM debian-demo AS other
RUN mkdir /made && echo of-the-stage > /made/file
FROM debian-demo
RUN --mount=type=cache,target=/cache/deep,uid=3,mode=0750 \
    --mount=type=tmpfs,target=/memory,size=1m \
    --mount=target=/context \
    --mount=source=sub/file,target=/opt/file,rw \
    --mount=from=other,source=made,target=/stage \
    --mount=from=other,source=made,target=/stage-too,rw \
    --mount=type=secret,id=s --mount=type=secret,id=s,env=S --mount=type=secret,id=none \
    set -e; echo in-the-cache > /cache/deep/kept; echo x > /memory/x; \
    cat /context/sub/file /opt/file /stage/file /run/secrets/s; printf %s "$S"; \
    echo changed > /opt/file; echo changed > /stage-too/file; cat /opt/file /stage-too/file; \
    ! touch /context/x /stage/x 2>/dev/null; test ! -e /run/secrets/none; \
    stat -c %a /cache/deep /run/secrets/s /memory; \
    echo name >> /etc/hosts; echo kept > /kept
RUN --mount=type=cache,target=/cache/deep,sharing=locked cat /cache/deep/kept
RUN --mount=type=cache,target=/new,from=other,source=/made cat /new/file
"""

EXPECTED = """in-the-context
in-the-context
of-the-stage
s3cret
s3cret
changed
changed
750
400
1777
in-the-cache
of-the-stage
"""


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A folder with a file and a secret beside it."""
    (tmp_path / "context" / "sub").mkdir(parents=True)
    (tmp_path / "context" / "sub" / "file").write_text("in-the-context\n")
    (tmp_path / "secret").write_text("s3cret\n")
    return tmp_path / "context"


def output(text: str) -> str:
    """Return what steps said, out of plain progress."""
    lines = (line.split(" ", 2) for line in text.splitlines())
    said = [words[2] for words in lines if len(words) == 3 and words[1].replace(".", "").isdigit()]
    return "".join(f"{line}\n" for line in said)


def layers(rootless: Rootless, name: str) -> list[list[str]]:
    """Return the names of the members of an image's layers, without those of the demo image."""
    store = Store.open(Paths.from_environment(rootless.home.environ), create=False)
    base, image = resolve(store, "debian-demo"), resolve(store, name)
    found = []
    for diff_id in image.config.diff_ids[len(base.config.diff_ids) :]:
        with tarfile.open(store.blob_path(diff_id)) as tar:
            found.append(tar.getnames())
    return found


@pytest.mark.both_users
def test_mounts(builder: Rootless, context: Path) -> None:
    """Each type is there for its RUN, and nothing of it is in a layer, nor what it was put on."""
    secret = f"id=s,src={context.parent / 'secret'}"
    (context / "Containerfile").write_text(MOUNTS)
    done = builder("build", "--secret", secret, "-t", "made", context)
    assert done.status == 0, done.stderr
    assert output(done.stderr) == EXPECTED
    assert layers(builder, "made") == [[".", "kept"]]
    assert (context / "sub" / "file").read_text() == "in-the-context\n"
    kept = [path for path in builder.home.path.rglob("*") if path.is_file()]
    assert not [path for path in kept if b"s3cret" in path.read_bytes()]
    builder.ok("builder", "prune", "--force")
    assert list((builder.home.store / "build-cache" / "mounts").iterdir()) == []


@pytest.mark.both_users
def test_output_and_status(builder: Rootless, context: Path) -> None:
    """Everything is told in its order; a failure has its line; what is left running is ended."""
    (context / "Containerfile").write_text(
        "FROM debian-demo\n"
        "RUN sleep 1000 & for i in $(seq 3000); do echo $i; echo $i- >&2; done\n"
        "RUN ['-'] || true\n"
        'RUN ["no-such-program"]\n'
    )
    done = builder("build", context)
    assert done.status == 125
    expected = "".join(f"{i}\n{i}-\n" for i in range(1, 3001))
    assert output(done.stderr).startswith(expected)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"rootless: {context}/Containerfile:4: command not found")
    (context / "Containerfile").write_text("FROM debian-demo\nRUN echo why; exit 3\n")
    done = builder("build", context)
    assert "why" in done.stderr
    assert "Containerfile:2: exit status 3: RUN echo why; exit 3" in done.stderr


@pytest.mark.both_users
def test_an_agent(builder: Rootless, context: Path) -> None:
    """--ssh: a user inside talks to the caller's agent, who is asked by the caller."""
    (context / "Containerfile").write_text(
        "FROM debian-demo\nUSER 33\n"
        "RUN --mount=type=ssh,uid=33 test $SSH_AUTH_SOCK = /run/buildkit/ssh_agent.0 && "
        "python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX); "
        's.connect(os.environ["SSH_AUTH_SOCK"]); s.send(b"who"); print(s.recv(99).decode())\'\n'
    )
    path = str(context.parent / "agent")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        listener.settimeout(60)
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        done = builder("build", "--ssh", f"default={path}", context)
        thread.join(60)
    assert done.status == 0, done.stderr
    assert output(done.stderr) == f"who is {os.getuid()}\n"


def answer(listener: socket.socket) -> None:
    """Answer one connection with who it is of."""
    client, _ = listener.accept()
    with client:
        data = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        client.sendall(client.recv(99) + b" is %d" % int.from_bytes(data[4:8], "little"))


def test_a_name_that_no_layer_can_have(builder: Rootless, context: Path) -> None:
    """What cannot be in a layer fails the step that made it."""
    (context / "Containerfile").write_text("FROM debian-demo\nRUN touch /tmp/.wh.x\n")
    done = builder("build", context)
    assert "Containerfile:2: name cannot be in an image: /tmp/.wh.x" in done.stderr
    assert done.status == 125
