"""One stage of a Containerfile."""

from dataclasses import dataclass

from rootless.build.containerfile import Instruction


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage.

    Attributes:
        index: Its number in the file, from 0.
        name: In lower case; "" without one.
        base: The image; "" for none, or where it is a stage.
        base_stage: The stage that it goes on from.
        instructions: Those after FROM.
        needs: Numbers of the stages that it is made of.
        platform: What `--platform` says.
        origin: Its FROM.
    """

    index: int
    name: str
    base: str
    base_stage: int | None
    instructions: tuple[Instruction, ...]
    needs: frozenset[int]
    platform: str
    origin: Instruction

    @property
    def line(self) -> int:
        """Where it begins."""
        return self.origin.line

    @property
    def shown(self) -> str:
        """What people know it by: its name, or its number."""
        return self.name or str(self.index)
