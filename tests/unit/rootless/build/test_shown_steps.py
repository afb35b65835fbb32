"""Which instructions are told."""

from rootless.build.containerfile import parse
from rootless.build.events import Silent, Step
from rootless.build.shown_steps import ShownSteps
from rootless.build.stage import Stage
from rootless.build.stages import plan


class _Notes(Silent):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def begin(self, step: Step) -> None:
        self.told.append(f"{step.number} {step.stage} {step.position}/{step.of} {step.line}")

    def output(self, step: Step, data: bytes) -> None:
        self.told.append(f"{step.number} {data!r}")

    def cached(self, step: Step) -> None:
        self.told.append(f"{step.number} cached")

    def done(self, step: Step, seconds: float) -> None:
        assert seconds >= 0
        self.told.append(f"{step.number} done")

    def failed(self, step: Step, seconds: float) -> None:
        assert seconds >= 0
        self.told.append(f"{step.number} failed")

    def stopped(self, step: Step, seconds: float) -> None:
        assert seconds >= 0
        self.told.append(f"{step.number} stopped")


def _stages(text: str) -> tuple[Stage, ...]:
    return plan(parse(text.encode(), "Containerfile")).stages


def test_one_stage() -> None:
    """FROM, RUN, COPY, ADD and WORKDIR are counted and told, the others are not."""
    [stage] = _stages("FROM scratch\nENV A=1\nWORKDIR /w\nCOPY a /\nLABEL b=c\nRUN x\n")
    notes = _Notes()
    shown = ShownSteps(notes, is_one=True)
    shown.begin_base(stage)
    shown.done(stage)
    for number in range(len(stage.instructions)):
        shown.begin(stage, number)
        shown.output(stage, b"said")
        shown.done(stage, cached=number == 1)
    assert notes.told == [
        *("1  1/4 1", "1 done"),
        *("2  2/4 3", "2 b'said'", "2 cached"),
        *("3  3/4 4", "3 b'said'", "3 done"),
        *("4  4/4 6", "4 b'said'", "4 done"),
    ]


def test_several_stages() -> None:
    """Stages have names or numbers; one that fails and those that are stopped say so once."""
    text = "FROM scratch AS a\nCOPY x /\nFROM scratch\nCOPY --from=a /x /\n"
    first, second = _stages(text)
    notes = _Notes()
    shown = ShownSteps(notes, is_one=False)
    shown.begin(first, 0)
    shown.begin(second, 0)
    shown.failed(first)
    shown.failed(first)
    shown.stop()
    shown.stop()
    assert notes.told == ["1 a 2/2 2", "2 1 2/2 4", "1 failed", "2 stopped"]
