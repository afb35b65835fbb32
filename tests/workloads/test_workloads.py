"""What people do in containers: compile, clone, keep databases, install; under both drivers.

The image is the demo's; the programs come from the host, which is a Debian 12 too, with its /usr
in the place of the image's. What they make lies in the container's own file system.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from executable import Rootless

pytestmark = [pytest.mark.needs_fuse, pytest.mark.needs_user]

Work = Callable[..., str]

FILES_OF_A_WHEEL = 3000

COMPILE = """
for i in $(seq 60); do
    echo "int f$i(int x) { return x + $i; }" >f$i.c
    echo "int f$i(int);" >>all.h
    echo "    sum += f$i(0);" >>calls
done
{ echo '#include "all.h"'; echo 'int main(void) { int sum = 0;'
  cat calls; echo '    return sum != 1830; }'; } >main.c
cat >Makefile <<'END'
objects := $(patsubst %.c,%.o,$(wildcard f*.c))
program: main.o libf.a
	gcc -o $@ $^
libf.a: $(objects)
	ar rcs $@ $^
%.o: %.c all.h
	gcc -O1 -MD -c -o $@ $<
END
make -s -j4 program
./program && echo runs
touch f7.c
make -n program | grep -c 'gcc .*-c'
make -s program
make -q program
"""

CLONE = """
export GIT_CONFIG_GLOBAL=/work/config
git config --global user.name Somebody
git config --global user.email somebody@example.org
git init -q -b main origin
cd origin
for round in 1 2 3; do
    for i in $(seq 100); do mkdir -p d$i; seq $((i * round)) >d$i/file; done
    ln -sf d$round/file link
    git add -A
    git commit -q -m "round $round"
done
git gc -q
git mv d1 moved
git commit -q -m moved
cd ..
git clone -q origin linked
git clone -q --no-local origin packed
for each in origin linked packed; do
    git -C $each fsck --strict --no-progress
    git -C $each status --porcelain
done
git -C packed checkout -q HEAD~2
git -C packed clean -ndx
diff -r --exclude=.git origin linked
git -C packed rev-list --count main
"""

SQLITE = """
cat >write.py <<'END'
import sqlite3, sys
base = sqlite3.connect("db", timeout=60, isolation_level=None)
for number in range(150):
    base.execute("BEGIN IMMEDIATE")
    base.execute("INSERT INTO t(who, v) VALUES (?, ?)", (sys.argv[1], "x" * number))
    base.execute("UPDATE n SET n = n + 1")
    base.execute("COMMIT")
END
python3 -c 'import sqlite3; b = sqlite3.connect("db")
print(*b.execute("PRAGMA journal_mode=wal").fetchone())
b.execute("CREATE TABLE t(who, v)"); b.execute("CREATE TABLE n(n)")
b.execute("INSERT INTO n VALUES (0)"); b.commit()'
python3 write.py a & python3 write.py b & python3 write.py c
wait %1
wait %2
python3 -c 'import sqlite3; b = sqlite3.connect("db")
print(*b.execute("PRAGMA integrity_check").fetchone())
print(*b.execute("SELECT count(*) FROM t").fetchone(), *b.execute("SELECT n FROM n").fetchone())
print(*b.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone())'
ls
"""

WHEEL = """
python3 -m venv --without-pip venv
export PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl)
venv/bin/python -m pip install -q --no-index --no-compile --disable-pip-version-check \\
    --root-user-action=ignore /wheel/many-1.0-py3-none-any.whl
find venv -name 'm[0-9]*.py' | wc -l
venv/bin/python -c 'import many.d7.m7; print(many.d7.m7.VALUE)'
venv/bin/python -m pip uninstall -q -y --root-user-action=ignore many
find venv -name 'm[0-9]*.py' | wc -l
"""


@pytest.fixture(params=["hybrid", "fuse"])
def work(request: pytest.FixtureRequest, demo: Rootless) -> Work:
    """Run a shell script inside, in a new folder, under either driver; gives what it printed."""

    def run(script: str, *options: str) -> str:
        words = ["run", "--overlay-driver", str(request.param), "-v", "/usr:/usr:ro", *options]
        words += ["-e", "PATH=/usr/sbin:/usr/bin"]  # nothing of the host's /usr/local
        return demo.ok(*words, "-w", "/work", "debian-demo", "sh", "-euc", script, timeout=200)

    return run


@pytest.fixture(scope="module")
def wheel_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a wheel of many small modules."""
    folder = tmp_path_factory.mktemp("wheel")
    info = "many-1.0.dist-info"
    with zipfile.ZipFile(folder / "many-1.0-py3-none-any.whl", "w") as wheel:
        for number in range(FILES_OF_A_WHEEL):
            wheel.writestr(f"many/d{number % 30}/m{number}.py", f"VALUE = {number}\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: many\nVersion: 1.0\n")
        tags = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        wheel.writestr(f"{info}/WHEEL", tags)
        names = "".join(f"{name},,\n" for name in [*wheel.namelist(), f"{info}/RECORD"])
        wheel.writestr(f"{info}/RECORD", names)
    return folder


def test_make(work: Work) -> None:
    """A parallel build gives a program that runs; make(1) builds again what was touched, only."""
    assert work(COMPILE).split() == ["runs", "1"]


def test_git(work: Work) -> None:
    """Clones, hard-linked and packed, are whole and clean: git sees no file as changed."""
    assert work(CLONE).split() == ["4"]


def test_sqlite(work: Work) -> None:
    """Three writers at once on one database in WAL mode lose no row; the database is whole."""
    assert work(SQLITE).split() == ["wal", "ok", "450", "450", "0", "0", "0", "db", "write.py"]


@pytest.mark.slow
def test_pip(work: Work, wheel_folder: Path) -> None:
    """A wheel of 3,000 files is installed, imported, and removed."""
    printed = work(WHEEL, "-v", f"{wheel_folder}:/wheel:ro")
    assert printed.split() == [str(FILES_OF_A_WHEEL), "7", "0"]
