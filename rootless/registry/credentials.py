"""Who the user is to a registry. Nothing here shows a secret: not in repr, not in an error."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A user name with a password, or an identity token in their place.

    Attributes:
        username: May be empty with an identity token.
        password: Or a token that a registry takes as one.
        identity_token: An OAuth 2 refresh token, which a token server takes.
    """

    username: str
    password: str = ""
    identity_token: str = ""

    def __repr__(self) -> str:
        return "Credentials(***)"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be shown."""
        return tuple(text for text in (self.password, self.identity_token) if text)
