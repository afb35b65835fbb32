"""`rootless login`: credentials for a registry, tried and kept."""
# ruff: noqa: FBT002 - typer's form of a flag is a parameter that defaults to False

from typing import TYPE_CHECKING, Annotated

import typer

from rootless.cli import registry_options as registries
from rootless.cli.command import Command

if TYPE_CHECKING:
    from rootless.registry.settings import Settings

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command(cls=Command)
def login(  # noqa: PLR0917 - one parameter an option
    registry: Annotated[
        str,
        typer.Argument(
            metavar="REGISTRY",
            show_default=False,
            help="HOST[:PORT], or HOST/NAMESPACE; else the first that registries.conf searches.",
        ),
    ] = "",
    username: Annotated[
        str, typer.Option("--username", "-u", metavar="NAME", show_default=False, help="User name.")
    ] = "",
    password: Annotated[
        str,
        typer.Option(
            "--password",
            "-p",
            metavar="PASSWORD",
            show_default=False,
            help="Password or token; other users can see it in the list of processes.",
        ),
    ] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    get_login: Annotated[
        bool, typer.Option("--get-login", help="Say as whom you are logged in, and nothing else.")
    ] = False,
    authfile: registries.AuthFile = "",
    cert_dir: registries.CertDir = "",
    tls_verify: registries.TLSVerify = "",
) -> None:
    """Log in to a registry: the credentials are tried there, and kept if they are good."""
    from rootless.errors import InvalidInput, NotFound  # noqa: PLC0415 - --help needs none of it
    from rootless.registry import login as logins  # noqa: PLC0415
    from rootless.registry.credentials import Credentials  # noqa: PLC0415
    from rootless.registry.keyring import login_key  # noqa: PLC0415
    from rootless.transfer import tasks  # noqa: PLC0415

    settings = registries.plain_settings(
        authfile=authfile, tls_verify=tls_verify, cert_dir=cert_dir
    )
    key = login_key(registry or logins.default_registry(settings))
    if get_login:
        known = settings.keyring.find(key)
        if known is None:
            raise NotFound("not logged in", key, f"rootless login {key}")
        typer.echo(known.username)
        return
    if password and password_stdin:
        raise InvalidInput("--password and --password-stdin exclude each other")
    if not (username or password or password_stdin) and _is_logged_in(key, settings):
        typer.echo(f"Already logged in to {key}")
        return
    name = username or _asked("Username: ", key, "--username NAME")
    secret = password
    if password_stdin:
        secret = _from_stdin()
    elif not secret:
        secret = _asked("Password: ", key, "--password-stdin", is_secret=True)
    credentials = Credentials(name, secret)
    tasks.run(lambda: logins.try_credentials(key, credentials, settings))
    settings.keyring.keep(key, credentials)
    typer.echo("Login Succeeded!")


def _is_logged_in(key: str, settings: "Settings") -> bool:
    """Tell whether the credentials that are kept are still good."""
    from rootless.errors import InvalidInput  # noqa: PLC0415
    from rootless.registry.login import try_credentials  # noqa: PLC0415
    from rootless.transfer import tasks  # noqa: PLC0415

    known = settings.keyring.find(key)
    if known is None:
        return False
    try:
        tasks.run(lambda: try_credentials(key, known, settings))
    except InvalidInput:
        return False
    return True


def _asked(prompt: str, key: str, option: str, *, is_secret: bool = False) -> str:
    """Return what the user types, a secret without showing it."""
    import getpass  # noqa: PLC0415
    import sys  # noqa: PLC0415

    from rootless.errors import InvalidInput  # noqa: PLC0415

    if sys.stdin is None or not sys.stdin.isatty():
        fix = f"give {option}; standard input is no terminal that could be asked"
        raise InvalidInput("credentials are missing", key, fix)
    try:
        if is_secret:
            text = getpass.getpass(prompt)
        else:
            typer.echo(prompt, nl=False, err=True)
            text = sys.stdin.readline().strip()
    except EOFError:
        text = ""
    if not text:
        raise InvalidInput("credentials are missing", key, f"type them, or give {option}")
    return text


def _from_stdin() -> str:
    import sys  # noqa: PLC0415

    from rootless.errors import InvalidInput  # noqa: PLC0415

    text = "" if sys.stdin is None else sys.stdin.read(1 << 16)
    password = text.removesuffix("\n").removesuffix("\r")
    if not password:
        raise InvalidInput("no password on standard input")
    return password
