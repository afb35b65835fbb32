"""What a build leaves: names, IDs, files, labels, layers."""

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]


@pytest.fixture
def context(tmp_path: Path) -> Path:
    """A context with a Containerfile that starts nothing."""
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "a").write_text("a\n")
    (folder / "b").write_text("b\n")
    (folder / "Containerfile").write_text(
        'FROM scratch\nLABEL l=1 m=2\nENV V=1 W=2\nCOPY a b /d/\nCOPY b /d/a\nCMD ["/c"]\n'
    )
    return folder


def details(rootless: Rootless, name: str) -> dict[str, Any]:
    """Return what `inspect` tells of an image."""
    [found] = json.loads(rootless.ok("inspect", name))
    return dict(found)


def test_names_and_id(rootless: Rootless, context: Path, tmp_path: Path) -> None:
    """All names are given, the ID is printed and written; a build that fails moves no name."""
    words = ("build", "-q", "-t", "one", "-t", "example.org/two:3", "--iidfile", tmp_path / "id")
    printed = rootless(*words, context)
    assert printed.status == 0
    assert printed.stderr == ""
    identity = printed.stdout.strip()
    assert (tmp_path / "id").read_text() == f"sha256:{identity}"
    found = details(rootless, "one")
    assert found["Id"] == identity
    assert found["RepoTags"] == ["localhost/one:latest", "example.org/two:3"]
    (context / "Containerfile").write_text("FROM scratch\nCOPY a /a\nCOPY nothing /b\n")
    (tmp_path / "id").unlink()
    failed = rootless(*words, context)
    assert failed.status == 125
    assert not (tmp_path / "id").exists()
    assert details(rootless, "one")["Id"] == identity


def test_a_name_is_given_to_what_is_there(rootless: Rootless, context: Path) -> None:
    """A build of which all is cached gives its names, too, and takes them from other images."""
    first = rootless.ok("build", "-q", "-t", "one", context)
    (context / "a").write_text("new\n")
    second = rootless.ok("build", "-q", "-t", "one", context)
    assert second != first
    (context / "a").write_text("a\n")
    assert rootless.ok("build", "-q", "-t", "one", "-t", "two", context) == first
    assert details(rootless, "one")["RepoTags"] == ["localhost/one:latest", "localhost/two:latest"]
    assert details(rootless, second.strip())["RepoTags"] == []


def test_labels_variables_annotations(rootless: Rootless, context: Path, tmp_path: Path) -> None:
    """Options add to the file's and take from them, in the image, not in what is cached."""
    rootless.ok("build", context)
    options = (
        *("--label", "n=3", "--label", "l=", "--unsetlabel", "m"),
        *("--env", "X=4", "--env", "V=5", "--unsetenv", "W", "--annotation", "org.example.a=b"),
    )
    result = rootless("build", *options, "-t", "made", context)
    assert result.stderr.count("CACHED") == 2
    config = details(rootless, "made")["Config"]
    assert config["Labels"] == {"l": "", "n": "3"}
    assert config["Env"][1:] == ["V=5", "X=4"]
    rootless.ok("save", "--format", "oci-dir", "-o", tmp_path / "layout", "made")
    index = json.loads((tmp_path / "layout/index.json").read_text())
    digest = index["manifests"][0]["digest"].partition(":")[2]
    manifest = json.loads((tmp_path / "layout/blobs/sha256" / digest).read_text())
    assert manifest["annotations"] == {"org.example.a": "b"}


@pytest.mark.parametrize("option", ["--squash", "--squash-all"])
def test_squash(rootless: Rootless, context: Path, option: str) -> None:
    """One layer has what several had, whiteouts too, and the history stays."""
    (context / "Base").write_text("FROM scratch\nCOPY a b /d/\nCOPY a /e/a\n")
    rootless.ok("build", "-t", "base", "-f", "Base", context)
    text = "FROM localhost/base\nCOPY b /d/a\nCOPY b /f/b\nENV A=1\n"
    (context / "Containerfile").write_text(text)
    rootless.ok("build", "-t", "plain", context)
    first = rootless.ok("build", option, "-t", "squashed", context)
    assert rootless.ok("build", option, "-t", "squashed", context) == first
    plain, squashed = details(rootless, "plain"), details(rootless, "squashed")
    assert len(plain["RootFS"]["Layers"]) == 4
    assert len(squashed["RootFS"]["Layers"]) == (3 if option == "--squash" else 1)
    assert len(squashed["History"]) == len(plain["History"])
    made = sum(not entry.get("empty_layer") for entry in squashed["History"])
    assert made == len(squashed["RootFS"]["Layers"])
    exported = []
    for name in ("plain", "squashed"):
        rootless.ok("create", "--name", f"of-{name}", name, "x")
        rootless.ok("export", "-o", context.parent / f"{name}.tar", f"of-{name}")
        with tarfile.open(context.parent / f"{name}.tar") as tar:
            exported.append(
                {m.name: (m.mode, m.size, m.isfile() and _data(tar, m)) for m in tar.getmembers()}
            )
    assert exported[0] == exported[1]
    assert exported[0]["d/a"][2] == b"b\n"


def _data(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def test_squash_keeps_what_is_taken_away(builder: Rootless, tmp_path: Path) -> None:
    """What a new layer hides of the base is hidden by the one layer, too."""
    (tmp_path / "Containerfile").write_text(
        "FROM debian-demo\n"
        "RUN rm /etc/debian_version && rm -r /usr/share/doc && mkdir /usr/share/doc\n"
        "RUN touch /usr/share/doc/new /etc/debian_version2\nRUN rm /etc/debian_version2\n"
    )
    builder.ok("build", "--squash", "-t", "made", tmp_path)
    base, made = (details(builder, n)["RootFS"]["Layers"] for n in ("debian-demo", "made"))
    assert made[:-1] == base
    command = "ls /usr/share/doc; ls /etc | grep debian_version; true"
    assert builder.ok("run", "made", "sh", "-c", command) == "new\n"


def _tar(folder: Path, compression: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{compression}") as tar:
        tar.add(folder, arcname=".")
    return file.getvalue()


@pytest.mark.parametrize("compression", ["", "gz", "xz"])
def test_contexts_that_are_archives(
    rootless: Rootless, context: Path, tmp_path: Path, compression: str
) -> None:
    """An archive in a file or on standard input is a context as its folder is."""
    from_folder = rootless.ok("build", "-q", context)
    archive = tmp_path / "context.tar"
    archive.write_bytes(_tar(context, compression))
    assert rootless.ok("build", "-q", archive) == from_folder
    with archive.open("rb") as file:
        piped = rootless.start("build", "-q", "-", stdin=file, stdout=-1)
        assert piped.communicate(timeout=60)[0].decode() == from_folder


def test_a_lone_containerfile(rootless: Rootless, context: Path) -> None:
    """On standard input it needs no context, and can copy from none."""
    text = "FROM scratch\nLABEL a=b\n"
    made = rootless("build", "-q", "-t", "lone", "-", stdin=text)
    assert made.status == 0, made.stderr
    assert details(rootless, "lone")["Config"]["Labels"] == {"a": "b"}
    failed = rootless("build", "-q", "-", stdin=f"{text}COPY a /a\n")
    assert failed.status == 125
    assert "there is no context" in failed.stderr
    in_context = rootless("build", "-q", "-f", "-", context, stdin=f"{text}COPY a /a\n")
    assert in_context.status == 0


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--format", "docker"), "no such format"),
        (("--jobs", "many"), "--jobs"),
        (("--platform", "linux/s390x"), "cannot build for the platform"),
        (("--label", "=x"), "label"),
        (("--source-date-epoch", "tomorrow"), "not a time"),
        (("--squash", "--squash-all"), "exclude each other"),
        (("-t", "UPPER"), "UPPER"),
        (("--ulimit", "nonsense"), "nonsense"),
        (("-f", "nosuch"), "no such Containerfile"),
        (("--progress", "loud"), "no such progress"),
        (("--secret", "nonsense"), "secret"),
        (("--build-arg", "=x"), "NAME"),
    ],
    ids=lambda value: value[0] if isinstance(value, tuple) else "",
)
def test_wrong_options(
    rootless: Rootless, context: Path, options: tuple[str, ...], says: str
) -> None:
    """What an option cannot mean is told in a line, before anything is built."""
    result = rootless("build", *options, context)
    assert result.status == 125
    [line] = result.stderr.splitlines()
    assert says in line


def test_options_as_podman_takes_them(rootless: Rootless, context: Path) -> None:
    """`--pull` without a value, flags with one, and those that mean nothing here are taken."""
    words = ("--layers=true", "--rm", "--force-rm=false", "--no-cache=true", "--http-proxy=false")
    result = rootless(
        "build", *words, "--squash=false", "--pull=never", "--isolation=chroot", context
    )
    assert result.status == 0, result.stderr
    assert rootless("build", "--pull", context).status == 0


def test_output(rootless: Rootless, tmp_path: Path) -> None:
    """Into a folder that has other files, whose links lead nowhere else; or as a tar."""
    (tmp_path / "a").write_text("content\n")
    text = "FROM scratch\nCOPY --chown=5:6 --chmod=4755 a /d/a\nCOPY a /b\n"
    (tmp_path / "Containerfile").write_text(text)
    out = tmp_path / "out"
    (out / "d").mkdir(parents=True)
    (out / "mine").touch()
    (out / "b").symlink_to("../outside")
    assert rootless("build", "-o", "out", ".", cwd=tmp_path).status == 0
    assert sorted(path.name for path in out.rglob("*")) == ["a", "b", "d", "mine"]
    assert (out / "d" / "a").read_text() == "content\n"
    assert (out / "d" / "a").stat().st_mode & 0o7777 == 0o755
    assert not (tmp_path / "outside").exists()
    made = rootless("build", "-q", "-o", "type=tar,dest=x.tar", ".", cwd=tmp_path)
    assert len(made.stdout.strip()) == 64
    with tarfile.open(tmp_path / "x.tar") as archive:
        member = archive.getmember("d/a")
        assert (member.uid, member.gid, member.mode) == (5, 6, 0o4755)
